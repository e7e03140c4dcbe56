import { benchGateway } from './gateway.ts'
await benchGateway()
