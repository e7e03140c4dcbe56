/** Express with bare http-proxy-middleware, as its README shows it. */
import { createServer } from 'node:http'
import express, { type Request, type Response } from 'express'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { listen } from './listen.ts'

const [base = ''] = process.argv.slice(2)
const proxy = createProxyMiddleware<Request, Response>({ target: `${base}/api`, changeOrigin: true })
listen(createServer(express().use('/api', proxy)))
