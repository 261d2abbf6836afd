/** Whether the address lies in the network, `10.1.0.0/16` or `fd00::/8`. False for what is neither. */
export function isInNetwork(address: string, network: string): boolean {
  const [base = '', length = ''] = network.split('/')
  const inside = bitsOf(plain(address))
  const net = bitsOf(base)
  if (inside === undefined || net === undefined || inside.length !== net.length) return false
  if (!/^\d{1,3}$/.test(length) || Number(length) > net.length) return false
  return inside.slice(0, Number(length)) === net.slice(0, Number(length))
}

export function isNetwork(text: string): boolean {
  return isInNetwork(text.split('/')[0] ?? '', text)
}

/** An IPv4 address that came through an IPv6 socket is an IPv4 address. */
function plain(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, '')
}

function bitsOf(address: string): string | undefined {
  return address.includes(':') ? bitsOfV6(address) : bitsOfV4(address)
}

function bitsOfV4(address: string): string | undefined {
  const parts = address.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined
  return parts.map((part) => Number(part).toString(2).padStart(8, '0')).join('')
}

function bitsOfV6(address: string): string | undefined {
  const [head = '', tail, ...more] = address.split('::')
  if (more.length > 0) return undefined
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = 8 - left.length - right.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...left, ...Array.from({ length: missing }, () => '0'), ...right]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))) return undefined
  return groups.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0')).join('')
}
