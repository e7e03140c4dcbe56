/** Scenarios by name, for applications that are like the examples of limpet. */
export const PRESETS = {
  cart: `# Each user puts an item into the cart and reads the cart back.
name: cart
backend: { json: backend }
repeat:
  - post: /cart/items
    json: { name: '{{unique}}' }
    expect: { status: 201 }
    writes: '{{unique}}'
  - get: /cart
    expect: { status: 200 }
    reads: { json: items }
`,
  counter: `# Each visit of a user increases a number by one.
name: counter
backend: { json: backend }
repeat:
  - get: /
    expect: { status: 200 }
    counts: { json: count }
`,
} as const

export type PresetName = keyof typeof PRESETS
