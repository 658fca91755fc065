{{- define "orchestra.name" -}}
{{- if contains "orchestra" .Release.Name }}{{ .Release.Name | trunc 48 | trimSuffix "-" }}{{ else }}{{ printf "%s-orchestra" .Release.Name | trunc 48 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "orchestra.selector" -}}
app.kubernetes.io/name: orchestra
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "orchestra.labels" -}}
{{ include "orchestra.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "orchestra.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "orchestra.claim" -}}
{{ .Values.uploads.existingClaim | default (printf "%s-uploads" (include "orchestra.name" .)) }}
{{- end }}

{{/* What every pod has: an ordinary account, nothing of the cluster's, secrets as files. */}}
{{- define "orchestra.pod" -}}
serviceAccountName: {{ include "orchestra.name" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  # The runtime's default lets Landlock and seccomp through, with which readers are confined (docs/deploy.md).
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "orchestra.container" -}}
image: {{ include "orchestra.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
envFrom:
  - configMapRef:
      name: {{ include "orchestra.name" .root }}
volumeMounts:
  - {name: secrets, mountPath: /run/secrets, readOnly: true}
  - {name: state, mountPath: /var/lib/orchestra/state}
  - {name: scratch, mountPath: /tmp}
  - {name: uploads, mountPath: /var/lib/orchestra/uploads}
resources:
  {{- toYaml .values.resources | nindent 2 }}
{{- end }}

{{- define "orchestra.volumes" -}}
volumes:
  - name: secrets
    secret:
      secretName: {{ .root.Values.existingSecret }}
      defaultMode: 0440
      items:
        {{- range .secrets }}
        - {key: {{ . }}, path: {{ . }}}
        {{- end }}
  - name: state
    emptyDir:
      sizeLimit: 1Gi
  # Readers unpack here, and passages wait here for the database.
  - name: scratch
    emptyDir:
      sizeLimit: {{ .values.scratch | default "2Gi" }}
  - name: uploads
    {{- if .root.Values.uploads.inBucket }}
    emptyDir:
      sizeLimit: {{ .root.Values.uploads.roomPerPod }}
    {{- else }}
    persistentVolumeClaim:
      claimName: {{ include "orchestra.claim" .root }}
    {{- end }}
{{- end }}

{{- define "orchestra.secrets" -}}
{{ concat (list "database_url" "redis_url" "secret_key" "jwt_signing_key" "credentials_keys") .Values.moreSecrets | toJson }}
{{- end }}
