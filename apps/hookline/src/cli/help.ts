export const HELP = `Hookline: an event backbone with a webhook sink.

  npm start                     Kafka, PostgreSQL and every role on this machine
  npm start -- --brokers 3      the same with three copies of everything
  npm run demo                  a guided tour of half a minute, on data of its own

  hookline start                as npm start
    --data <folder>             where data is kept (.hookline)
    --brokers 1|3               how many brokers; data made with one can't be used with three
    --port-base <port>          ingest's port; admin-api, delivery, recorder and relay take the next four (8080)
  hookline demo                 as npm run demo
  hookline setup                makes the schema and the topics; from KAFKA_BROKERS, DATABASE_URL and the like
  hookline grow-events          gives hookline.events more partitions; says what that costs, and does it with --yes
    --partitions <count>        how many it is to have
  hookline rebuild-database     fills an empty database from the topics, as far as they reach; --yes
  hookline redrive-source       tries the dead letters of a source again, when its mapping was mended
    --source <name>             which one, of HOOKLINE_SOURCES or its file
    --origin <t:p:o>            only this record (topic:partition:offset); may be given more than once
  hookline outbox-schema        prints the SQL that makes the outbox in a producer's PostgreSQL, with the limits of HOOKLINE_MAX_*
  hookline help                 this

Kafka comes from KAFKA_BROKERS, else from Docker, else from Java 17 and Maven.
`;
