import { demo, type Running } from '@limpet-example/demo'
import type { Gateway, GatewayOptions } from '@limpet-example/demo/gateway'

/** Shows a gateway before three shops. */
export async function showShops(
  framework: string,
  startGateway: (options: GatewayOptions) => Promise<Gateway>,
): Promise<void> {
  await demo({
    title: `a ${framework} gateway before three shops, each with its carts in its own memory`,
    backend: new URL('backend.ts', import.meta.url),
    name: 'shop',
    signs: true,
    people: 'visitors',
    startGateway,
    lines,
  })
}

function lines({ url, pid }: Running): string {
  const cart = `${url}/cart`
  return `  A visitor comes back to the same shop, so the cart fills up.
    curl -b jar -c jar -d name=apple ${cart}/items
    curl -b jar -c jar -d name=pear ${cart}/items

  Without cookies each request is a new visitor, and the shops take turns.
    curl ${cart}
    curl ${cart}

  Drain a shop, here shop1: it keeps its carts, and new visitors go elsewhere.
  (The same once more, and it is ready again.)
    kill -USR2 ${pid}
    curl -b jar -c jar ${cart}
    curl ${cart}

  Kill the shop that has your cart: another one answers, and the cart is gone.
    kill -9 ${pid}
    curl -b jar -c jar ${cart}
`
}
