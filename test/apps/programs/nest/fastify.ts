// An application on Nest and Fastify, with limpet as a plugin for the paths of the shop.
import type { AddressInfo } from 'node:net'
import { gatewayServerOptions, limpet } from '@limpet/fastify'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { authenticate, ShopModule } from './shop-module.ts'
import { pool, ready } from '../program.ts'
import { SharedWsAdapter } from './shared-ws-adapter.ts'

const adapter = new FastifyAdapter(gatewayServerOptions())
const app = await NestFactory.create<NestFastifyApplication>(ShopModule, adapter, { logger: ['error'] })
app.enableCors({ origin: 'https://shop.example' })
app.useWebSocketAdapter(new SharedWsAdapter(app))
adapter.getInstance().addHook('onRequest', async request => authenticate(request))
await app.register(limpet, { ...pool, prefix: '/shop' })
await app.listen(0, '127.0.0.1')
ready({ port: (app.getHttpServer().address() as AddressInfo).port })
