{{/* Names and labels. Those with a role take (dict "root" $ "role" "edge"). */}}

{{- define "mangrove.name" -}}
{{- .Values.fullnameOverride | default .Release.Name }}
{{- end }}

{{- define "mangrove.roleName" -}}
{{- $name := include "mangrove.name" .root }}
{{- eq .role "single" | ternary $name (printf "%s-%s" $name .role) }}
{{- end }}

{{/* Host name of a Service of this release: (dict "root" $ "role" "control"). */}}
{{- define "mangrove.host" -}}
{{- printf "%s-%s.%s.svc.%s" (include "mangrove.name" .root) .role .root.Release.Namespace .root.Values.clusterDomain }}
{{- end }}

{{- define "mangrove.selector" -}}
app.kubernetes.io/name: mangrove
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "mangrove.labels" -}}
{{ include "mangrove.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "mangrove.roleSelector" -}}
{{ include "mangrove.selector" .root }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "mangrove.roleLabels" -}}
{{ include "mangrove.labels" .root }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{/* The roles of this layout that have workloads, parted by spaces. */}}
{{- define "mangrove.roles" -}}
{{- if eq .Values.layout "single" -}}
single
{{- else -}}
control edge media{{ if .Values.console.replicas }} console{{ end }}
{{- end }}
{{- end }}

{{/* The role whose pods serve the pages. */}}
{{- define "mangrove.pagesRole" -}}
{{- if eq .Values.layout "single" -}}
single
{{- else -}}
{{ gt (int .Values.console.replicas) 0 | ternary "console" "control" }}
{{- end }}
{{- end }}

{{- define "mangrove.image" -}}
{{- $image := .Values.image }}
{{- if $image.digest }}
{{- printf "%s@%s" $image.repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $image.repository ($image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* The Secret with the nodes' certificates: supplied, or the one that cert-manager fills. */}}
{{- define "mangrove.certificates" -}}
{{- .Values.tls.existingSecret | default (printf "%s-certificates" (include "mangrove.name" .)) }}
{{- end }}

{{- define "mangrove.objectsClaim" -}}
{{- .Values.objects.existingClaim | default (printf "%s-objects" (include "mangrove.name" .)) }}
{{- end }}
