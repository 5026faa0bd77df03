# What happens around the build of web.pkr.hcl: a release has to be proven.

image "web" {
  build   = "web.mmdebstrap.base"
  version = git.version

  output "qcow2" {
    compression = "zstd"
  }
  output "spdx" {}
  output "cyclonedx" {}

  # Boots throwaway copies by both firmwares, and compares what must differ between machines.
  test "boot" {
    firmware = ["bios", "uefi"]
    timeout  = "300s"
  }

  # What the site needs; ports and processes are looked at in a booted copy.
  test "goss" {
    file          = "goss.yaml"
    strict        = true
    retry_timeout = "60s"
  }

  # Private keys, tokens and passwords that were left in any file.
  test "secrets" {}

  # ingot build -var vulnerability_data=https://security-tracker.debian.org/tracker/data/json
  dynamic "test" {
    for_each = var.vulnerability_data == "" ? [] : [var.vulnerability_data]
    labels   = ["vulnerabilities"]
    content {
      databases = [test.value]
      ignore    = "vulnerabilities.ignore.yaml"
    }
  }

  policy {
    require          = concat(["boot", "clones", "goss", "secrets", "sbom"], var.vulnerability_data == "" ? [] : ["vulnerabilities"])
    seal             = ["all"]
    max_base_age     = "2160h" # 90 days; `ingot update` moves the lock
    forbid_packages  = ["telnet*", "rsh-*", "nis", "tftpd*"]
    allow_privileged = ["debian"]
    hardening        = ["debian-level1"]

    # What cannot be fixed yet is accepted by name, for a while:
    # except {
    #   id      = "privileged:/usr/local/bin/agent"
    #   reason  = "the vendor drops setuid in 2.0"
    #   expires = "2027-06-30"
    # }
  }

  release {
    channels = ["dev"]
  }
}
