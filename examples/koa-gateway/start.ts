import { demo } from '@limpet-example/shop/demo'
import { startGateway } from './gateway.ts'

await demo('Koa', startGateway)
