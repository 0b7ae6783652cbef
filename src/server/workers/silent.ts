/**
 * Environment that keeps ONNX Runtime from telling its makers about the machine and its models, which its builds for Linux and macOS
 * do since 1.29; the second name is that of later versions. To be set before the library is loaded.
 */
export const SILENT: Readonly<Record<string, string>> = { ORT_DISABLE_TELEMETRY: '1', ORT_TELEMETRY_DISABLED: '1' };
