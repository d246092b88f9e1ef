{{- define "hookline.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "hookline.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Labels that never change: selectors. Takes a list of the root context and the component. */}}
{{- define "hookline.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "hookline.labels" -}}
{{- $root := index . 0 -}}
{{ include "hookline.selectorLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{/* What each role is called outside of the values, and which secrets it is given. The database is for those who need it. */}}
{{- define "hookline.roles" -}}
ingest: { values: ingest, service: true }
delivery: { values: delivery, sealing: true }
recorder: { values: recorder, database: true }
admin-api: { values: adminApi, service: true, database: true, sealing: true, operator: true }
{{- if .Values.relay.enabled }}
relay: { values: relay, relay: true }
{{- end }}
{{- end }}

{{/* Environment: takes a dict of root, role (as above) and settings (a map of the role's own). */}}
{{- define "hookline.env" -}}
{{- $values := .root.Values -}}
- name: KAFKA_BROKERS
  value: {{ join "," $values.kafka.brokers | quote }}
{{- if $values.kafka.tls.enabled }}
- name: KAFKA_TLS
  value: "true"
{{- if $values.kafka.tls.caSecret }}
- name: KAFKA_TLS_CA_FILE
  value: /etc/hookline/kafka-ca/ca.crt
{{- end }}
{{- if $values.kafka.tls.clientSecret }}
- name: KAFKA_TLS_CERT_FILE
  value: /etc/hookline/kafka-client/tls.crt
- name: KAFKA_TLS_KEY_FILE
  value: /etc/hookline/kafka-client/tls.key
{{- end }}
{{- end }}
{{- if ne $values.kafka.sasl.mechanism "none" }}
- name: KAFKA_SASL_MECHANISM
  value: {{ $values.kafka.sasl.mechanism }}
- name: KAFKA_SASL_USERNAME
  valueFrom:
    secretKeyRef: { name: {{ $values.kafka.sasl.existingSecret }}, key: {{ $values.kafka.sasl.usernameKey }} }
- name: KAFKA_SASL_PASSWORD
  valueFrom:
    secretKeyRef: { name: {{ $values.kafka.sasl.existingSecret }}, key: {{ $values.kafka.sasl.passwordKey }} }
{{- end }}
{{- if .role.database }}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef: { name: {{ $values.postgresql.existingSecret }}, key: {{ $values.postgresql.urlKey }} }
{{- if $values.postgresql.tls.enabled }}
- name: DATABASE_TLS
  value: "true"
{{- if $values.postgresql.tls.caSecret }}
- name: DATABASE_TLS_CA_FILE
  value: /etc/hookline/postgresql-ca/ca.crt
{{- end }}
{{- end }}
{{- end }}
{{- if and .role.relay $values.relay.outbox.existingSecret }}
- name: HOOKLINE_RELAY_DATABASE_URL
  valueFrom:
    secretKeyRef: { name: {{ $values.relay.outbox.existingSecret }}, key: {{ $values.relay.outbox.urlKey }} }
- name: HOOKLINE_RELAY_TENANT
  value: {{ $values.relay.outbox.tenant | quote }}
{{- if $values.relay.outbox.tls.enabled }}
- name: HOOKLINE_RELAY_DATABASE_TLS
  value: "true"
{{- if $values.relay.outbox.tls.caSecret }}
- name: HOOKLINE_RELAY_DATABASE_TLS_CA_FILE
  value: /etc/hookline/outbox-ca/ca.crt
{{- end }}
{{- end }}
{{- end }}
{{- if .role.sealing }}
- name: HOOKLINE_SEALING_KEYS
  valueFrom:
    secretKeyRef: { name: {{ $values.secrets.existingSecret }}, key: {{ $values.secrets.sealingKeysKey }} }
{{- end }}
{{- if .role.operator }}
- name: HOOKLINE_OPERATOR_TOKEN
  valueFrom:
    secretKeyRef: { name: {{ $values.secrets.existingSecret }}, key: {{ $values.secrets.operatorTokenKey }} }
{{- end }}
- name: HOOKLINE_REPLICATION_FACTOR
  value: {{ $values.topics.replicationFactor | quote }}
- name: HOOKLINE_MIN_INSYNC_REPLICAS
  value: {{ $values.topics.minInsyncReplicas | quote }}
- name: HOOKLINE_EVENT_PARTITIONS
  value: {{ $values.topics.eventPartitions | quote }}
- name: HOOKLINE_LANE_PARTITIONS
  value: {{ $values.topics.lanePartitions | quote }}
- name: HOOKLINE_ATTEMPT_PARTITIONS
  value: {{ $values.topics.attemptPartitions | quote }}
- name: HOOKLINE_HTTP_PORT
  value: "8080"
- name: HOOKLINE_DRAIN_TIMEOUT
  value: {{ printf "%ds" (int $values.drainSeconds) }}
{{- range $name, $value := merge (dict) .settings $values.settings }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{/* Certificates, by Secrets that exist; a fixed file name in each, whatever the key. */}}
{{- define "hookline.volumeMounts" -}}
{{- $values := .root.Values -}}
- { name: tmp, mountPath: /tmp }
{{- if and $values.kafka.tls.enabled $values.kafka.tls.caSecret }}
- { name: kafka-ca, mountPath: /etc/hookline/kafka-ca, readOnly: true }
{{- end }}
{{- if and $values.kafka.tls.enabled $values.kafka.tls.clientSecret }}
- { name: kafka-client, mountPath: /etc/hookline/kafka-client, readOnly: true }
{{- end }}
{{- if and .role.database $values.postgresql.tls.enabled $values.postgresql.tls.caSecret }}
- { name: postgresql-ca, mountPath: /etc/hookline/postgresql-ca, readOnly: true }
{{- end }}
{{- if and .role.relay $values.relay.outbox.tls.enabled $values.relay.outbox.tls.caSecret }}
- { name: outbox-ca, mountPath: /etc/hookline/outbox-ca, readOnly: true }
{{- end }}
{{- end }}

{{- define "hookline.volumes" -}}
{{- $values := .root.Values -}}
- name: tmp
  emptyDir: {}
{{- if and $values.kafka.tls.enabled $values.kafka.tls.caSecret }}
- name: kafka-ca
  secret:
    secretName: {{ $values.kafka.tls.caSecret }}
    items:
      - { key: {{ $values.kafka.tls.caKey }}, path: ca.crt }
{{- end }}
{{- if and $values.kafka.tls.enabled $values.kafka.tls.clientSecret }}
- name: kafka-client
  secret:
    secretName: {{ $values.kafka.tls.clientSecret }}
    items:
      - { key: {{ $values.kafka.tls.clientCertKey }}, path: tls.crt }
      - { key: {{ $values.kafka.tls.clientKeyKey }}, path: tls.key }
{{- end }}
{{- if and .role.database $values.postgresql.tls.enabled $values.postgresql.tls.caSecret }}
- name: postgresql-ca
  secret:
    secretName: {{ $values.postgresql.tls.caSecret }}
    items:
      - { key: {{ $values.postgresql.tls.caKey }}, path: ca.crt }
{{- end }}
{{- if and .role.relay $values.relay.outbox.tls.enabled $values.relay.outbox.tls.caSecret }}
- name: outbox-ca
  secret:
    secretName: {{ $values.relay.outbox.tls.caSecret }}
    items:
      - { key: {{ $values.relay.outbox.tls.caKey }}, path: ca.crt }
{{- end }}
{{- end }}

{{/* Pod Security Standards: restricted. */}}
{{- define "hookline.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "hookline.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}
