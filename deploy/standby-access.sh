#!/bin/sh
# Lets the standby of compose.scale.yaml copy and follow the primary: what the image writes speaks of databases alone.
echo "host replication $POSTGRES_USER 172.30.17.0/24 scram-sha-256" >> "$PGDATA/pg_hba.conf"
