source "qemu" "web" {
  iso_url          = "base.qcow2"
  iso_checksum     = "none"
  disk_image       = true
  disk_size        = "3G"
  format           = "qcow2"
  accelerator      = "tcg"
  machine_type     = "q35"
  headless         = true
  memory           = 1024
  cpus             = 2
  ssh_username     = "packer"
  ssh_password     = "packer"
  ssh_timeout      = "5m"
  shutdown_command = "sudo shutdown -P now"
  output_directory = "out"
  qemuargs = [
    ["-drive", "file=out/packer-web,if=virtio,cache=unsafe,format=qcow2"],
    ["-drive", "file=seed.iso,if=virtio,format=raw,media=cdrom"],
  ]
}

build {
  sources = ["source.qemu.web"]
  provisioner "shell" {
    inline = [
      "sudo apt-get update",
      "sudo DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nginx-light curl",
    ]
  }
  provisioner "file" {
    source      = "site/"
    destination = "/tmp"
  }
  provisioner "shell" {
    script = "harden.sh"
  }
}
