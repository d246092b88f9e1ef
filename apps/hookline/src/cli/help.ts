export const HELP = `Hookline: an event backbone with a webhook sink.

  npm start                     Kafka, PostgreSQL and every role on this machine
  npm start -- --brokers 3      the same with three copies of everything
  npm run demo                  a guided tour of half a minute, on data of its own

  hookline start                as npm start
    --data <folder>             where data is kept (.hookline)
    --brokers 1|3               how many brokers; data made with one can't be used with three
    --port-base <port>          ingest's port; admin-api, delivery, recorder and relay take the next four (8080)
    --rebuild-database          makes the database anew from the topics, where its folder is gone or was moved away
  hookline demo                 as npm run demo
  hookline setup                makes the schema and the topics; from KAFKA_BROKERS, DATABASE_URL and the like
  hookline grow-events          gives hookline.events more partitions; says what that costs, and does it with --yes
    --partitions <count>        how many it is to have
  hookline rebuild-database     fills an empty database from the topics, as far as they reach; --yes
  hookline reconcile            proves what became of every event: delivered, dead-lettered, held or pending; names those of which nobody
                                knows, and with --repair sends exactly these again. Reads Kafka only. Ends with 0, or 1 where some are missing
    --from, --to <where>        an RFC 3339 time, or offsets as partition:offset,…; --to is exclusive. Without: all that the log has now
    --subscription, --tenant <id>  only its deliveries
    --repair [--yes]            sends what is missing again, after a yes; and waits for what becomes of it, for --wait (1m) at most
    --json, --list <count>      the report as JSON; how many of the missing are named (100)
                                It costs 17 bytes of memory for each event and 23 for each of its deliveries (a million events with ten
                                each: 250 MB), and reads events, attempts and lanes once, at some 20,000 records a second
  hookline redrive-source       tries the dead letters of a source again, when its mapping was mended
    --source <name>             which one, of HOOKLINE_SOURCES or its file
    --origin <t:p:o>            only this record (topic:partition:offset); may be given more than once
  hookline outbox-schema        prints the SQL that makes the outbox in a producer's PostgreSQL, with the limits of HOOKLINE_MAX_*
  hookline help                 this

Kafka comes from KAFKA_BROKERS, else from Docker, else from Java 17 and Maven.
`;
