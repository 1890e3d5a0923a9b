#!/bin/sh
# The namespace, and the search attributes the workflow sets. May be run again. TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE say where.
set -eu
tries=0
until temporal operator cluster health > /dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -ge 60 ]; then
    echo "Temporal at $TEMPORAL_ADDRESS does not answer" >&2
    exit 1
  fi
  sleep 1
done
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" > /dev/null 2>&1 ||
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 30d
temporal operator search-attribute create --type Keyword --name KeyturnStatus --name KeyturnType \
  --name KeyturnAgent --name KeyturnRisk --name KeyturnRule
temporal operator search-attribute create --type KeywordList --name KeyturnAwaiting
temporal operator search-attribute create --type Datetime --name KeyturnDeadline
