#!/bin/sh
# prepare.sh GATE [SECRETS]: the secrets of compose.yaml as files, from a folder that `keyturn init` made, or one like it. Overwrites nothing.
set -eu
umask 077
keys="$1/.keyturn/keys"
secrets="${2:-$(dirname "$0")/secrets}"
mkdir "$secrets"
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
random > "$secrets/temporal_db_password"
random > "$secrets/ledger_db_password"
printf 'postgres://keyturn:%s@ledger-db:5432/ledger' "$(cat "$secrets/ledger_db_password")" > "$secrets/ledger_address"
cp "$keys"/executor-*.key "$secrets/executor_key"
cp "$keys/api.key" "$secrets/api_key"
echo "$secrets: temporal_db_password ledger_db_password ledger_address executor_key api_key"
