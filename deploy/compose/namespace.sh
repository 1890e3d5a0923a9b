#!/bin/sh
# The namespace, and the search attributes the workflow sets. May be run again. TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE say where.
set -eu
# A server that has just started, and a namespace that has just been made, are not found for some seconds.
insist() {
  tries=0
  until said="$("$@" 2>&1)"; do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ]; then
      echo "$said" >&2
      exit 1
    fi
    sleep 1
  done
}
insist temporal operator cluster health
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" > /dev/null 2>&1 ||
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 30d
insist temporal operator search-attribute list
# Each name with its own type: of several names after one type only the first is made.
temporal operator search-attribute create \
  --name KeyturnStatus --type Keyword --name KeyturnType --type Keyword --name KeyturnAgent --type Keyword \
  --name KeyturnRisk --type Keyword --name KeyturnRule --type Keyword \
  --name KeyturnAwaiting --type KeywordList --name KeyturnDeadline --type Datetime
