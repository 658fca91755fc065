#!/bin/sh
# Make the secrets that compose.yaml names, a file each, in deploy/secrets; what is there already stays.
#
# The files are readable by all, because the container's accounts are others than yours; the folder is yours alone.
set -eu
folder=$(dirname "$0")/secrets
umask 077
mkdir -p "$folder"

keep() {  # keep NAME CONTENT
    [ -e "$folder/$1" ] || { printf '%s\n' "$2" > "$folder/$1"; chmod 0444 "$folder/$1"; }
}
random() { od -An -N 32 -tx1 /dev/urandom | tr -d ' \n'; }

keep postgres_password "$(random)"
keep valkey_password "$(random)"
keep secret_key "$(random)"
keep jwt_signing_key "$(random)"
keep credentials_keys "$(random)"
keep admin_password "$(random | cut -c 1-20)"
postgres=$(cat "$folder/postgres_password")
valkey=$(cat "$folder/valkey_password")
keep database_url "postgresql://orchestra:$postgres@database:5432/orchestra"
keep redis_url "redis://:$valkey@valkey:6379/0"
keep valkey.conf "requirepass $valkey"
echo "Secrets are in $folder; the administrator's password is in $folder/admin_password."
