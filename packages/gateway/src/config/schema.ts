import { type JsonSchema, table } from '@limpet/core/options'
import { CONFIG_OPTIONS } from './config-options.ts'

/** The JSON Schema of the file without its descriptions. @param packages those of packages that may not be installed */
export function fileSchema(packages: { readonly kubernetes: JsonSchema }): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'limpet',
    ...table(CONFIG_OPTIONS).schema,
    $defs: packages,
  }
}
