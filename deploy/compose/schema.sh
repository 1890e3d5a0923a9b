#!/bin/sh
# Temporal's two databases: made and brought to this server's version. May be run again, and is the step before a newer server.
set -eu
SQL_PASSWORD="${SQL_PASSWORD:-$(cat /run/secrets/temporal_db_password)}"
export SQL_PASSWORD
for database in temporal temporal_visibility; do
  case "$database" in
    temporal) schema=temporal ;;
    *) schema=visibility ;;
  esac
  temporal-sql-tool --database "$database" create
  temporal-sql-tool --database "$database" setup-schema --version 0.0
  temporal-sql-tool --database "$database" update-schema --schema-dir "${SCHEMA_DIR:-/etc/temporal/schema}/postgresql/v12/$schema/versioned"
done
