# PostgreSQL as a generic image: primary or replica is said at launch. What is configured on the first boot stands in
# postgres.ingot.hcl.

locals {
  version = "15"
  packages = [
    "ca-certificates",
    "cloud-init",
    "dbus",
    "e2fsprogs",
    "ifupdown",
    "init",
    "iproute2",
    "isc-dhcp-client",
    "netbase",
    "nftables",
    "nodejs",
    "openssh-server",
    "postgresql-${local.version}",
    "sudo",
  ]
}

source "mmdebstrap" "base" {
  packages = local.packages
  kernel   = "linux-image-cloud-amd64"
}

build {
  name    = "postgres"
  sources = ["source.mmdebstrap.base"]

  # Debian makes a database when the package is installed; each machine makes its own, or copies the primary's.
  provisioner "shell" {
    inline = [
      "pg_dropcluster ${local.version} main",
      "install -d -o postgres -g postgres /etc/postgresql/${local.version}/main",
      "apt-mark hold postgresql-${local.version}",
      "systemctl disable postgresql.service",
      "systemctl enable postgresql@${local.version}-main.service",
      # It looks for snapshots of LVM, which is not here, at each start.
      "systemctl disable e2scrub_reap.service",
    ]
  }

  provisioner "file" {
    source      = "renew-certificate.mjs"
    destination = "/usr/local/sbin/renew-certificate.mjs"
  }

  provisioner "file" {
    source      = "certificate.conf"
    destination = "/tmp/certificate.conf"
  }

  provisioner "shell" {
    inline = [
      "chmod 755 /usr/local/sbin/renew-certificate.mjs",
      "install -D -m 644 /tmp/certificate.conf /etc/systemd/system/postgresql@${local.version}-main.service.d/certificate.conf",
    ]
  }
}
