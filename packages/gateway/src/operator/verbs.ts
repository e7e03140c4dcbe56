/** Commands to a running gateway. */
export const OPERATOR_VERBS = ['status', 'top', 'drain', 'ready', 'maint', 'weight'] as const

export type OperatorVerb = (typeof OPERATOR_VERBS)[number]
