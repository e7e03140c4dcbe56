export { kubernetes } from './kubernetes.ts'
export type { KubernetesOptions } from './kubernetes-options.ts'
