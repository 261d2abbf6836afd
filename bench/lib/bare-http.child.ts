import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * The least that can answer a check-in: Node's own HTTP server, which reads the body, looks at nothing and answers the
 * same bytes. Its address is printed as one JSON line.
 */
const answer = Buffer.from(
  JSON.stringify({
    serverEpoch: 'bare',
    serverTime: new Date().toISOString(),
    reportHigh: 0,
    generation: 0,
    proceed: [],
    hold: [],
    sources: [],
    wantFacts: false,
    nextCheckInSeconds: 300,
  }),
)
const headers = { 'content-type': 'application/json', 'content-length': answer.length }
const server = createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(200, headers).end(answer))
})
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }))
})
