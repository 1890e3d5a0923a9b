#!/bin/sh
# search-attributes.sh NAMESPACE.ACCOUNT: once a namespace, by whoever administers it. Temporal Cloud takes them from tcld only.
set -eu
tcld namespace search-attributes add --namespace "$1" \
  --search-attribute KeyturnStatus=Keyword \
  --search-attribute KeyturnType=Keyword \
  --search-attribute KeyturnAgent=Keyword \
  --search-attribute KeyturnRisk=Keyword \
  --search-attribute KeyturnRule=Keyword \
  --search-attribute KeyturnAwaiting=KeywordList \
  --search-attribute KeyturnDeadline=Datetime
