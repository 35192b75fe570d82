package invoke

import (
	"encoding/binary"
	"hash/crc32"
)

// A message of application/vnd.amazon.eventstream is, in big endian:
//
//	uint32 length of all | uint32 length of headers | uint32 CRC of those two
//	headers: uint8 length, name, type 7 (a text), uint16 length, text; each
//	payload
//	uint32 CRC of all before
//
// The CRCs are CRC-32 as of IEEE 802.3 (Smithy specification, "Amazon Event
// Stream").

// maxMessagePayload is what goes into one message; the specification's limit
// is 16 MB.
const maxMessagePayload = 64 << 10

// appendEvent appends one event as a message.
func appendEvent(b []byte, event, contentType string, payload []byte) []byte {
	start := len(b)
	b = append(b, make([]byte, 12)...)
	for _, h := range [][2]string{{":message-type", "event"}, {":event-type", event}, {":content-type", contentType}} {
		b = append(b, byte(len(h[0])))
		b = append(b, h[0]...)
		b = append(b, 7)
		b = binary.BigEndian.AppendUint16(b, uint16(len(h[1])))
		b = append(b, h[1]...)
	}
	headers := len(b) - start - 12
	b = append(b, payload...)
	message := b[start:]
	binary.BigEndian.PutUint32(message, uint32(len(message)+4))
	binary.BigEndian.PutUint32(message[4:], uint32(headers))
	binary.BigEndian.PutUint32(message[8:], crc32.ChecksumIEEE(message[:8]))
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(message))
}
