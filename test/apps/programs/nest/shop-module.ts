// The common part of the applications on Nest: a controller and a WebSocket gateway of their own.
import 'reflect-metadata'
import { Controller, Get, Module } from '@nestjs/common'
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'

@Controller('own')
class OwnController {
  @Get('hello')
  hello(): string {
    return 'hello from the application'
  }
}

@WebSocketGateway({ path: '/live' })
class LiveGateway {
  @SubscribeMessage('say')
  say(@MessageBody() text: string): { event: string; data: string } {
    return { event: 'said', data: `live: ${text}` }
  }
}

@Module({ controllers: [OwnController], providers: [LiveGateway] })
export class ShopModule {}

/** Authentication: the client's word does not count, the application's does. */
export function authenticate(request: { headers: Record<string, string | string[] | undefined> }): void {
  delete request.headers['x-user-id']
  request.headers['x-gateway-user'] = 'alice'
}
