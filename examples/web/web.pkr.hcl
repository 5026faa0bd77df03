# A web server: Debian from the signed archive, nginx, hardened. Valid Packer HCL2; what happens around the
# build (version, outputs, tests, release) is in web.ingot.hcl.

variable "suite" {
  type        = string
  default     = "bookworm"
  description = "The Debian release to build."
}

variable "admin" {
  type        = string
  default     = "webadmin"
  description = "System user that owns the site."

  validation {
    condition     = length(var.admin) > 0 && var.admin == lower(var.admin)
    error_message = "The user's name must be in lower case."
  }
}

variable "vulnerability_data" {
  type        = string
  default     = ""
  description = "The Debian security tracker's JSON, by path or URL: with it, known vulnerabilities block a release."
}

locals {
  packages = [
    "cloud-init",
    "dbus",
    "ifupdown",
    "init",
    "iproute2",
    "netbase",
    "nginx",
    "openssh-server",
    "sudo",
  ]
  web_root = "/srv/www"
}

source "mmdebstrap" "base" {
  suite    = var.suite
  packages = local.packages
  kernel   = "linux-image-cloud-amd64"
}

build {
  name    = "web"
  sources = ["source.mmdebstrap.base"]

  provisioner "shell" {
    inline = [
      "useradd --system --home-dir ${local.web_root} --shell /usr/sbin/nologin ${var.admin}",
      "install -d -m 0755 ${local.web_root}",
    ]
  }

  provisioner "file" {
    source      = "site/"
    destination = "${local.web_root}/"
  }

  provisioner "shell" {
    script = "harden.sh"
    environment_vars = [
      "SITE_USER=${var.admin}",
      "WEB_ROOT=${local.web_root}",
    ]
  }

  post-processor "manifest" {
    output     = "manifest.json"
    strip_path = true
  }
}
