image "postgres" {
  build   = "postgres.mmdebstrap.base"
  version = git.version

  output "qcow2" {
    compression = "zstd"
  }

  first_boot {
    cloud_init = ["cloud-init/10-disks.cfg", "cloud-init/20-locale.cfg"]
    required   = ["role", "address", "primary", "network", "secrets"]

    file "/etc/postgresql/15/main/postgresql.conf" {
      template = "cluster/postgresql.conf"
      owner    = "postgres"
      mode     = "0640"
    }
    file "/etc/postgresql/15/main/pg_hba.conf" {
      template = "cluster/pg_hba.conf"
      owner    = "postgres"
      mode     = "0640"
    }

    # Once: the primary makes a database, a replica copies it.
    command "cluster" {
      script = "cluster/make-cluster.sh"
      environment = {
        ROLE                 = "{{ .role }}"
        PRIMARY              = "{{ .primary }}"
        REPLICATION_PASSWORD = "{{ .secrets }}/replication#/password"
      }
    }

    # On every start, in memory alone: the password as it is now. The certificate is renewed by certificate.conf.
    service "postgresql@15-main.service" {
      file "/run/postgresql-secrets/pgpass" {
        template = "cluster/pgpass"
        owner    = "postgres"
      }
    }

    ready {
      units   = ["postgresql@15-main.service"]
      timeout = "15m"
      tcp "postgresql" {
        host = "{{ .address }}"
        port = 5432
      }
    }
  }

  release {
    channels = ["dev"]
  }
}
