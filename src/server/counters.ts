/** What `serverStatus` tells of the network. Bytes are those of the sockets, compressed or not. */
export class Counters {
  totalConnections = 0;
  bytesIn = 0;
  bytesOut = 0;
  requests = 0;
}
