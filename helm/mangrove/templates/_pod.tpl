{{/* A node's pod, alike for every role. Takes (dict "root" $ "role" "edge" "own" .Values.edge). */}}

{{- define "mangrove.pod" -}}
{{- $values := .root.Values -}}
metadata:
  labels:
    {{- /* No versions: a new chart alone restarts nobody. */}}
    {{- include "mangrove.roleSelector" . | nindent 4 }}
  annotations:
    kubectl.kubernetes.io/default-container: mangrove
spec:
  serviceAccountName: {{ include "mangrove.name" .root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- if include "mangrove.onMachine" . }}
  hostNetwork: true
  dnsPolicy: ClusterFirstWithHostNet
  {{- end }}
  terminationGracePeriodSeconds: {{ .own.graceSeconds }}
  {{- with .own.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  {{- with include "mangrove.placement" . }}
  {{- . | nindent 2 }}
  {{- end }}
  containers:
    - name: mangrove
      image: {{ include "mangrove.image" .root | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: [serve]
      env:
        {{- include "mangrove.environment" . | nindent 8 }}
      ports:
        {{- include "mangrove.ports" . | nindent 8 }}
      {{- include "mangrove.probes" . | nindent 6 }}
      {{- with include "mangrove.preStop" . }}
      {{- . | nindent 6 }}
      {{- end }}
      resources:
        {{- toYaml .own.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      volumeMounts:
        {{- include "mangrove.mounts" . | nindent 8 }}
  volumes:
    {{- include "mangrove.volumes" . | nindent 4 }}
{{- end }}

{{/* Not empty for roles on the machine's own network: SIP and RTP tell addresses, which no proxy may change. */}}
{{- define "mangrove.onMachine" -}}
{{- if has .role (list "edge" "media" "single") -}}
yes
{{- end }}
{{- end }}

{{/* One node a machine, for what can't be lost twice at once or needs a machine's ports; all roles over the zones. */}}
{{- define "mangrove.placement" -}}
{{- $strict := gt (int .root.Values.zones.minimum) 1 }}
{{- with .own.nodeSelector -}}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{ end }}
{{- with .own.tolerations -}}
tolerations:
  {{- toYaml . | nindent 2 }}
{{ end }}
{{- if ne .role "single" -}}
topologySpreadConstraints:
  - topologyKey: topology.kubernetes.io/zone
    maxSkew: 1
    {{- if $strict }}
    minDomains: {{ .root.Values.zones.minimum }}
    {{- end }}
    whenUnsatisfiable: {{ $strict | ternary "DoNotSchedule" "ScheduleAnyway" }}
    labelSelector:
      matchLabels:
        {{- include "mangrove.roleSelector" . | nindent 8 }}
  - topologyKey: kubernetes.io/hostname
    maxSkew: 1
    whenUnsatisfiable: {{ eq .role "console" | ternary "ScheduleAnyway" "DoNotSchedule" }}
    labelSelector:
      matchLabels:
        {{- include "mangrove.roleSelector" . | nindent 8 }}
{{- if ne .role "console" }}
affinity:
  podAntiAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "mangrove.roleSelector" . | nindent 12 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "mangrove.ports" -}}
{{- $ports := list (dict "name" "http" "port" .own.ports.http "protocol" "TCP") }}
{{- if ne .role "single" }}
{{- $ports = append $ports (dict "name" "grpc" "port" .own.ports.grpc "protocol" "TCP") }}
{{- end }}
{{- if has .role (list "edge" "single") }}
{{- range tuple "UDP" "TCP" }}
{{- $ports = append $ports (dict "name" (printf "sip-%s" (lower .)) "port" $.root.Values.edge.sip.port "protocol" .) }}
{{- end }}
{{- end }}
{{- $onMachine := include "mangrove.onMachine" . }}
{{- range $at, $port := $ports }}
{{- if $at }}
{{ end -}}
- name: {{ .name }}
  containerPort: {{ .port }}
  {{- if $onMachine }}
  hostPort: {{ .port }}
  {{- end }}
  protocol: {{ .protocol }}
{{- end }}
{{- end }}

{{/* Alive is one thing, ready another: a node that waits for its groups is not killed, it only gets no work. */}}
{{- define "mangrove.probes" -}}
{{- $host := eq (include "mangrove.httpAddress" .) "127.0.0.1" | ternary ", host: 127.0.0.1" "" -}}
startupProbe:
  httpGet: {path: /healthz, port: http{{ $host }}}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 300
livenessProbe:
  httpGet: {path: /healthz, port: http{{ $host }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: http{{ $host }}}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 2
{{- end }}

{{/*
A console waits until no Service sends to it any more. Others hand over their work first; the node is that of
MANGROVE_NODE, for Kubernetes fills in no variables here. A single node has nobody to hand over to.
*/}}
{{- define "mangrove.preStop" -}}
{{- if eq .role "console" -}}
lifecycle:
  preStop:
    sleep: {seconds: 5}
{{- else if ne .role "single" -}}
lifecycle:
  preStop:
    exec:
      command: [/usr/bin/mangrove, drain]
{{- end }}
{{- end }}

{{- define "mangrove.mounts" -}}
- {name: data, mountPath: /var/lib/mangrove}
- {name: tmp, mountPath: /tmp}
{{- if ne .role "single" }}
- {name: certificates, mountPath: /etc/mangrove/tls, readOnly: true}
{{- end }}
{{- if include "mangrove.keepsObjects" . }}
- {name: objects, mountPath: /var/lib/mangrove-objects}
{{- end }}
{{- if ne .role "edge" }}
{{- if .root.Values.objects.s3.existingSecret }}
- {name: s3, mountPath: /etc/mangrove/s3, readOnly: true}
{{- end }}
{{- if .root.Values.objects.encryption.existingSecret }}
- {name: masters, mountPath: /etc/mangrove/masters, readOnly: true}
{{- end }}
{{- end }}
{{- end }}

{{- define "mangrove.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
{{- if eq .role "console" }}
- name: data
  emptyDir: {sizeLimit: 1Gi}
{{- end }}
{{- if ne .role "single" }}
- name: certificates
  secret:
    secretName: {{ include "mangrove.certificates" .root }}
    defaultMode: 0440
{{- end }}
{{- if include "mangrove.keepsObjects" . }}
- name: objects
  persistentVolumeClaim: {claimName: {{ include "mangrove.objectsClaim" .root }}}
{{- end }}
{{- if ne .role "edge" }}
{{- with .root.Values.objects.s3.existingSecret }}
- name: s3
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with .root.Values.objects.encryption.existingSecret }}
- name: masters
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end }}
{{- end }}
