import { showShops } from '@limpet-example/shop'
import { startGateway } from './gateway.ts'

await showShops('Hono', startGateway)
