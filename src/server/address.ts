/** `host:port`, with an IPv6 host in brackets. */
export function hostAndPort(host: string | undefined, port: number | undefined): string {
  const name = host ?? 'unknown';
  return `${name.includes(':') ? `[${name}]` : name}:${port ?? 0}`;
}
