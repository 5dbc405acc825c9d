{{/*
A node's configuration as environment twins of mangrove.toml's keys. Takes (dict "root" $ "role" "edge" "own" .Values.edge).
Variables in $(...) are filled in by Kubernetes and stand before those that use them.
*/}}
{{- define "mangrove.environment" -}}
{{- $values := .root.Values -}}
- name: MANGROVE_NODE
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
- name: MANGROVE_ROLES
  value: {{ include "mangrove.nodeRoles" . }}
- name: MANGROVE_DATA_DIR
  value: /var/lib/mangrove
- name: MANGROVE_TOKEN
  valueFrom: {secretKeyRef: {name: {{ $values.admin.existingSecret }}, key: {{ $values.admin.key }}}}
- name: MANGROVE_HTTP__LISTEN
  value: "{{ include "mangrove.httpAddress" . }}:{{ .own.ports.http }}"
{{- if has .role (list "edge" "single") }}
{{ include "mangrove.sipEnvironment" $values.edge.sip }}
{{- end }}
{{- if has .role (list "media" "single") }}
{{ include "mangrove.rtpEnvironment" $values.media.rtp }}
{{- end }}
{{- if eq .role (include "mangrove.pagesRole" .root) }}
{{- include "mangrove.pagesEnvironment" $values.console }}
{{- end }}
{{- if eq .role "single" }}
- name: MANGROVE_CLUSTER__LISTEN
  value: "127.0.0.1:{{ .own.ports.grpc }}"
- name: MANGROVE_SERVER
  value: "http://$(POD_IP):{{ .own.ports.http }}"
{{- else }}
{{ include "mangrove.clusterEnvironment" . }}
{{- end }}
{{- include "mangrove.objectsEnvironment" . }}
{{- range $key, $value := $values.settings }}
- name: MANGROVE_{{ $key | upper | replace "." "__" }}
  value: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }}
{{- end }}
{{- end }}

{{- define "mangrove.nodeRoles" -}}
{{- if eq .role "single" -}}
edge,control,media,console
{{- else -}}
{{ .role }}{{ if and (eq .role "control") (eq (include "mangrove.pagesRole" .root) "control") }},console{{ end }}
{{- end }}
{{- end }}

{{/* On a machine's own network HTTP is for the kubelet alone, unless Prometheus or a Service is to come. */}}
{{- define "mangrove.httpAddress" -}}
{{- if has .role (list "control" "console") -}}
0.0.0.0
{{- else if or (eq .role "single") .root.Values.serviceMonitor.enabled -}}
$(POD_IP)
{{- else -}}
127.0.0.1
{{- end }}
{{- end }}

{{- define "mangrove.sipEnvironment" -}}
{{- $address := .address | default "$(POD_IP)" -}}
- name: MANGROVE_SIP__UDP
  value: "{{ $address }}:{{ .port }}"
- name: MANGROVE_SIP__TCP
  value: "{{ $address }}:{{ .port }}"
{{- with .public }}
- name: MANGROVE_SIP__PUBLIC
  value: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "mangrove.rtpEnvironment" -}}
- name: MANGROVE_RTP__ADDRESS
  value: {{ .address | default "$(POD_IP)" | quote }}
- name: MANGROVE_RTP__PORTS
  value: {{ .ports | quote }}
{{- with .public }}
- name: MANGROVE_RTP__PUBLIC
  value: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "mangrove.pagesEnvironment" -}}
{{- $ingress := .ingress.enabled | ternary (printf "https://%s" .ingress.host) "" }}
{{- with .public | default $ingress }}
- name: MANGROVE_HTTP__PUBLIC
  value: {{ . | quote }}
{{- end }}
{{- end }}

{{/*
How the node finds the others and is found. Control is told by name: its pods come back with other addresses. Commands
that run in a pod (`drain`) ask a console.
*/}}
{{- define "mangrove.clusterEnvironment" -}}
{{- $values := .root.Values }}
{{- $control := include "mangrove.host" (dict "root" .root "role" "control") -}}
- name: MANGROVE_ZONE
  valueFrom: {fieldRef: {fieldPath: "metadata.labels['topology.kubernetes.io/zone']"}}
- name: MANGROVE_CLUSTER__JOIN
  value: "{{ $control }}:{{ $values.control.ports.grpc }}"
{{- if eq .role "control" }}
- name: MANGROVE_CLUSTER__FOUNDER
  value: "{{ include "mangrove.roleName" (dict "root" .root "role" "control") }}-0"
- name: MANGROVE_CLUSTER__LISTEN
  value: "0.0.0.0:{{ .own.ports.grpc }}"
- name: MANGROVE_CLUSTER__ADVERTISE
  value: "$(MANGROVE_NODE).{{ $control }}:{{ .own.ports.grpc }}"
- name: MANGROVE_CLUSTER__REPLICAS
  value: "{{ gt (int .own.replicas) 3 | ternary 5 3 }}"
{{- else }}
- name: MANGROVE_CLUSTER__LISTEN
  value: "$(POD_IP):{{ .own.ports.grpc }}"
- name: MANGROVE_CLUSTER__ADVERTISE
  value: "$(POD_IP):{{ .own.ports.grpc }}"
{{- end }}
{{- range $key, $file := dict "CA" "ca.crt" "CERT" "tls.crt" "KEY" "tls.key" }}
- name: MANGROVE_CLUSTER__TLS__{{ $key }}
  value: /etc/mangrove/tls/{{ $file }}
{{- end }}
{{- /* Who reads and writes call records; no other node knows the database's password. */}}
{{- if has .role (list "control" "console") }}
- name: MANGROVE_DATABASE__URL
  valueFrom: {secretKeyRef: {name: {{ $values.database.existingSecret }}, key: {{ $values.database.key }}}}
{{- end }}
- name: MANGROVE_SERVER
  value: "http://{{ include "mangrove.host" (dict "root" .root "role" "console") }}:{{ $values.console.service.port }}"
{{- end }}

{{/* Where recordings lie. Edges have no business with them, nor with their keys. */}}
{{- define "mangrove.objectsEnvironment" -}}
{{- $objects := .root.Values.objects }}
{{- if include "mangrove.keepsObjects" . }}
- name: MANGROVE_OBJECTS__URL
  value: file:/var/lib/mangrove-objects
{{- else if and $objects.s3.url (ne .role "edge") }}
- name: MANGROVE_OBJECTS__URL
  value: {{ $objects.s3.url | quote }}
{{- with $objects.s3.region }}
- name: MANGROVE_OBJECTS__REGION
  value: {{ . | quote }}
{{- end }}
{{- with $objects.s3.endpoint }}
- name: MANGROVE_OBJECTS__ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- if $objects.s3.allowHttp }}
- name: MANGROVE_OBJECTS__ALLOW_HTTP
  value: "true"
{{- end }}
{{- if $objects.s3.existingSecret }}
- name: MANGROVE_OBJECTS__CREDENTIALS
  value: /etc/mangrove/s3/{{ $objects.s3.key }}
{{- end }}
{{- end }}
{{- if and $objects.encryption.existingSecret (ne .role "edge") }}
- name: MANGROVE_OBJECTS__KEYS
  value: /etc/mangrove/masters/{{ $objects.encryption.key }}
{{- end }}
{{- end }}

{{/* Not empty where the volume of recordings is mounted. */}}
{{- define "mangrove.keepsObjects" -}}
{{- if .root.Values.objects.s3.url }}
{{- else if eq .role "single" }}
{{- .root.Values.objects.existingClaim }}
{{- else if ne .role "edge" -}}
yes
{{- end }}
{{- end }}
