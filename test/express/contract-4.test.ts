import { proxyContract } from '../contract/index.ts'
import { EXPRESS_4 } from '../support/harnesses.ts'

proxyContract(EXPRESS_4)
