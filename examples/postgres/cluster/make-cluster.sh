#!/bin/sh
# The first boot of a database server. It may be cut off anywhere and run again: the data is synced, once, and takes its
# name at the end.
set -eu
data=/var/lib/postgresql/15/main
bin=/usr/lib/postgresql/15/bin
[ ! -e "$data/PG_VERSION" ] || exit 0

# Never on the root disk, because the data disk came late.
mountpoint -q /var/lib/postgresql
install -d -o postgres -g postgres -m 0750 /var/lib/postgresql/15
rm -rf "$data.new"
# Clients look for certificates of their own in there.
export HOME=/var/lib/postgresql
as_postgres() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }

case $ROLE in
  primary)
    as_postgres "$bin/initdb" --no-sync --auth-local=peer --auth-host=scram-sha-256 --data-checksums --encoding=UTF8 \
      --locale=C.UTF-8 -D "$data.new" >/dev/null
    password=$(printf %s "$REPLICATION_PASSWORD" | sed "s/'/''/g")
    printf "CREATE ROLE replicator LOGIN REPLICATION PASSWORD '%s';\n" "$password" |
      as_postgres "$bin/postgres" --single -D "$data.new" postgres >/dev/null
    ;;
  replica)
    # Both may be launched at once. After a minute the copy is tried all the same, so that the console tells what is wrong.
    for _ in $(seq 60); do
      ! "$bin/pg_isready" --quiet --host "$PRIMARY" || break
      sleep 1
    done
    export PGPASSWORD="$REPLICATION_PASSWORD" PGCONNECT_TIMEOUT=10
    as_postgres "$bin/pg_basebackup" --no-sync -X stream -D "$data.new" \
      -d "host=$PRIMARY user=replicator sslmode=verify-full sslrootcert=/etc/ssl/certs/ca-certificates.crt"
    as_postgres touch "$data.new/standby.signal"
    ;;
  *)
    echo "role is $ROLE; expected primary or replica"
    exit 1
    ;;
esac
sync -f "$data.new"
mv -T "$data.new" "$data"
