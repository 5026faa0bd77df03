#!/bin/sh
# Hardens the web server: kernel settings, SSH, and nginx serving the site. May run again: it sets, never appends.
set -eu

: "${SITE_USER:?name of the user that owns the site}"
: "${WEB_ROOT:?folder of the site}"

# Kernel: no address leaks, no redirects, no packets from impossible addresses, no dumps of privileged programs.
cat >/etc/sysctl.d/60-hardening.conf <<'EOF'
kernel.dmesg_restrict = 1
kernel.kptr_restrict = 2
kernel.randomize_va_space = 2
kernel.unprivileged_bpf_disabled = 1
kernel.yama.ptrace_scope = 1
fs.protected_fifos = 2
fs.protected_regular = 2
fs.suid_dumpable = 0
net.ipv4.conf.all.accept_redirects = 0
net.ipv4.conf.all.accept_source_route = 0
net.ipv4.conf.all.rp_filter = 1
net.ipv4.conf.all.send_redirects = 0
net.ipv4.conf.default.accept_redirects = 0
net.ipv4.icmp_echo_ignore_broadcasts = 1
net.ipv4.tcp_syncookies = 1
net.ipv6.conf.all.accept_redirects = 0
net.ipv6.conf.default.accept_redirects = 0
EOF

# What a user writes is his own until he says otherwise.
sed -i 's/^UMASK.*/UMASK\t\t027/' /etc/login.defs

# cloud-init would generate en_US.UTF-8 on every first boot, for which the image has no locale sources.
cat >/etc/cloud/cloud.cfg.d/60-image.cfg <<'EOF'
locale: C.UTF-8
ssh_genkeytypes: [ed25519, ecdsa]
EOF

# SSH: keys only, never as root.
cat >/etc/ssh/sshd_config.d/60-hardening.conf <<'EOF'
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
X11Forwarding no
AllowAgentForwarding no
MaxAuthTries 3
LoginGraceTime 30
EOF
# The check needs a host key, which the image must not have, and the folder that the service makes.
install -d -m 0755 /run/sshd
key_folder=$(mktemp -d)
ssh-keygen -q -t ed25519 -N '' -f "$key_folder/key"
sshd -t -h "$key_folder/key"
rm -r "$key_folder"

# The site belongs to its user and is readable to nginx.
chown -R "$SITE_USER:" "$WEB_ROOT"
find "$WEB_ROOT" -type d -exec chmod 0755 {} +
find "$WEB_ROOT" -type f -exec chmod 0644 {} +

cat >/etc/nginx/sites-available/site <<EOF
server {
    listen 80 default_server;
    listen [::]:80 default_server;
    root $WEB_ROOT;
    index index.html;
    error_page 404 /404.html;
    server_tokens off;
    add_header X-Content-Type-Options nosniff always;
    add_header X-Frame-Options DENY always;
    add_header Referrer-Policy no-referrer always;
    add_header Content-Security-Policy "default-src 'self'" always;
}
EOF
rm -f /etc/nginx/sites-enabled/default
ln -sf ../sites-available/site /etc/nginx/sites-enabled/site
nginx -t
systemctl enable nginx ssh
