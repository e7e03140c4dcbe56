import { type OptionKind, text } from '@limpet/core/options'

/** First part of all keys. Braces would choose another slot of a Cluster. */
export const PREFIX: OptionKind<string, string, false> = text({
  pattern: /^[\w.:-]{1,64}$/,
  takes: '1 to 64 of the characters A-Z a-z 0-9 _ - . :',
  default: 'limpet',
})
