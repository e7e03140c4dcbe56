/* The entry `@limpet/kubernetes/options`: the table of the options, for the gateway's file. */
export { KUBERNETES_OPTIONS } from './kubernetes-options.ts'
