// An application on Nest and Express, with limpet as middleware for the paths of the shop.
import type { AddressInfo } from 'node:net'
import { guardServer, limpet } from '@limpet/express'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import type { NextFunction, Request, Response } from 'express'
import { authenticate, ShopModule } from './shop-module.ts'
import { pool, ready } from '../program.ts'
import { SharedWsAdapter } from './shared-ws-adapter.ts'

// limpet streams bodies, so the parsers of Nest come behind it.
const app = await NestFactory.create<NestExpressApplication>(ShopModule, {
  bodyParser: false,
  logger: ['error'],
})
app.enableCors({ origin: 'https://shop.example' })
app.useWebSocketAdapter(new SharedWsAdapter(app))
app.use((request: Request, _response: Response, next: NextFunction) => {
  authenticate(request)
  next()
})
const gateway = limpet({ ...pool, filter: ({ url = '' }) => url.startsWith('/shop') })
app.use(gateway)
app.useBodyParser('json')
guardServer(app.getHttpServer()).on('upgrade', gateway.upgrade)
await app.listen(0, '127.0.0.1')
ready({ port: (app.getHttpServer().address() as AddressInfo).port })
