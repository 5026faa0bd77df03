# What happens around the build of web.pkr.hcl.

image "web" {
  build   = "web.mmdebstrap.base"
  version = git.version

  output "qcow2" {
    compression = "zstd"
  }

  test "boot" {
    firmware = ["bios", "uefi"]
    timeout  = "300s"
  }

  release {
    channels = ["dev"]
  }
}
