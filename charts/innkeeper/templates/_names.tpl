{{- /* The one place that formats the names and labels of this chart's objects. */ -}}

{{- define "innkeeper.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "innkeeper.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "innkeeper.labels" -}}
{{ include "innkeeper.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: innkeeper
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* Refuses certificates that no TLS would use. Takes the path of the values and the values. */ -}}
{{- define "innkeeper.checkTls" -}}
{{- $secrets := or .tls.caSecretName .tls.clientSecretName -}}
{{- if and $secrets (not .tls.mode) -}}
{{- fail (printf "%s names Secrets but no mode: say Require, VerifyCa or VerifyFull" .path) -}}
{{- end -}}
{{- if and $secrets (eq .tls.mode "Disable") -}}
{{- fail (printf "%s.mode is Disable, and without TLS no certificate is used: choose another mode, or leave the Secrets out" .path) -}}
{{- end -}}
{{- end -}}

{{- /* The arguments for TLS with a server. Takes the server's name in them, the path of the values and the values. */ -}}
{{- define "innkeeper.tlsArguments" -}}
{{- include "innkeeper.checkTls" . -}}
{{- with .tls.mode }}
- --{{ $.server }}-tls={{ . }}
{{- end }}
{{- with .tls.caSecretName }}
- --{{ $.server }}-ca-secret={{ . }}
- --{{ $.server }}-ca-key={{ $.tls.caSecretKey | default "ca.crt" }}
{{- end }}
{{- with .tls.clientSecretName }}
- --{{ $.server }}-client-secret={{ . }}
{{- end }}
{{- end -}}

{{- /* How the operator reaches a Kafka cluster, as JSON. Takes the number and the item of kafka.clusters. */ -}}
{{- define "innkeeper.kafkaCluster" -}}
{{- $folder := printf "/etc/innkeeper/kafka/%d" (int .index) -}}
{{- $cluster := dict "bootstrapServers" .cluster.bootstrapServers -}}
{{- with .cluster.tls -}}
{{- include "innkeeper.checkTls" (dict "tls" . "path" (printf "kafka.clusters[%d].tls" (int $.index))) -}}
{{- if .mode -}}
{{- $tls := dict "mode" .mode -}}
{{- if .caSecretName -}}{{- $_ := set $tls "caFile" (printf "%s/ca/ca.crt" $folder) -}}{{- end -}}
{{- if .clientSecretName -}}{{- $_ := set $tls "clientCertificateDir" (printf "%s/client" $folder) -}}{{- end -}}
{{- $_ := set $cluster "tls" $tls -}}
{{- end -}}
{{- end -}}
{{- with .cluster.sasl -}}
{{- $_ := set $cluster "sasl" (dict "mechanism" .mechanism "credentialsDir" (printf "%s/sasl" $folder)) -}}
{{- end -}}
{{- toJson $cluster -}}
{{- end -}}

{{- /* The volumes with the Secrets for the operator's Kafka clusters. */ -}}
{{- define "innkeeper.kafkaVolumes" -}}
{{- range $index, $cluster := .Values.kafka.clusters }}
{{- with $cluster.sasl }}
- name: kafka-{{ $index }}-sasl
  secret:
    secretName: {{ .secretName }}
    items: [{ key: username, path: username }, { key: password, path: password }]
{{- end }}
{{- with $cluster.tls }}
{{- if .caSecretName }}
- name: kafka-{{ $index }}-ca
  secret:
    secretName: {{ .caSecretName }}
    items: [{ key: {{ .caSecretKey | default "ca.crt" }}, path: ca.crt }]
{{- end }}
{{- if .clientSecretName }}
- name: kafka-{{ $index }}-client
  secret:
    secretName: {{ .clientSecretName }}
    items: [{ key: tls.crt, path: tls.crt }, { key: tls.key, path: tls.key }]
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Where these volumes are mounted. */ -}}
{{- define "innkeeper.kafkaMounts" -}}
{{- range fromYamlArray (include "innkeeper.kafkaVolumes" .) }}
- name: {{ .name }}
  mountPath: /etc/innkeeper/{{ .name | replace "-" "/" }}
  readOnly: true
{{- end }}
{{- end -}}

{{- define "innkeeper.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
