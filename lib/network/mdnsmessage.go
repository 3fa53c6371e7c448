package network

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"golang.org/x/net/dns/dnsmessage"
)

// Neighbours speak multicast DNS (RFC 6762) as libp2p's mDNS discovery does
// (libp2p/specs, discovery/mdns.md), with a service name of our own:
//
//	query     one question: _plasm._udp.local, PTR, IN
//	response  answer:       _plasm._udp.local PTR NAME._plasm._udp.local
//	          additional:   NAME._plasm._udp.local TXT "dnsaddr=MULTIADDR/p2p/ID" …
//	                        NAME._plasm._udp.local SRV 0 0 PORT NAME.local
//	                        NAME.local A or AAAA
//
// NAME is drawn at each start. A response with TTL 0 takes leave. Only PTR and TXT
// are read here; other programs believe in no service without the rest (RFC 6763).
const (
	mdnsService   = "_plasm._udp.local."
	mdnsAddr      = "dnsaddr="
	mdnsTTL       = 120     // seconds
	mdnsCacheBit  = 1 << 15 // of the class in a response: the only record of this name (RFC 6762, section 10.2)
	maxMDNSPacket = 9000    // bytes (RFC 6762, section 17)
	maxMDNSParts  = 32      // questions, records or strings looked at
	maxMDNSText   = 1150    // bytes of addresses sent, so that a packet fits into a frame
)

// mdnsQuery is the question who is there.
func mdnsQuery() ([]byte, error) {
	name, err := dnsmessage.NewName(mdnsService)
	if err != nil {
		return nil, err
	}
	message := dnsmessage.Message{Questions: []dnsmessage.Question{{
		Name: name, Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET,
	}}}
	return message.Pack()
}

// mdnsResponse says that the peer called instance is at addrs, for ttl seconds.
// Addresses that do not fit are left out.
func mdnsResponse(instance string, id peer.ID, addrs []ma.Multiaddr, ttl uint32) ([]byte, error) {
	service, err := dnsmessage.NewName(mdnsService)
	if err != nil {
		return nil, err
	}
	full, err := dnsmessage.NewName(instance + "." + mdnsService)
	if err != nil {
		return nil, err
	}
	host, err := dnsmessage.NewName(instance + ".local.")
	if err != nil {
		return nil, err
	}
	message := dnsmessage.Message{
		Header: dnsmessage.Header{Response: true, Authoritative: true},
		Answers: []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: service, Class: dnsmessage.ClassINET, TTL: ttl},
			Body:   &dnsmessage.PTRResource{PTR: full},
		}},
	}
	add := func(name dnsmessage.Name, body dnsmessage.ResourceBody) {
		message.Additionals = append(message.Additionals, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET | mdnsCacheBit, TTL: ttl},
			Body:   body,
		})
	}
	if text := addrTexts(id, addrs); len(text) > 0 {
		add(full, &dnsmessage.TXTResource{TXT: text})
	}
	if port := portIn(addrs); port > 0 {
		add(full, &dnsmessage.SRVResource{Port: port, Target: host})
	}
	for _, body := range hostRecords(addrs) {
		add(host, body)
	}
	return message.Pack()
}

// addrTexts returns the strings of a TXT record with as many addresses as fit.
func addrTexts(id peer.ID, addrs []ma.Multiaddr) []string {
	var text []string
	room := maxMDNSText
	for _, addr := range addrs {
		s := mdnsAddr + addr.String() + "/p2p/" + id.String()
		if len(s) <= 255 && len(s) < room { // the longest string of a TXT record
			text = append(text, s)
			room -= len(s) + 1
		}
	}
	return text
}

// portIn returns the port of the first address with QUIC, or else of the first,
// as the service is one of UDP by its name; 0 for none.
func portIn(addrs []ma.Multiaddr) uint16 {
	i := max(0, slices.IndexFunc(addrs, isQUIC))
	if i >= len(addrs) || len(addrs[i]) < 2 {
		return 0
	}
	port, err := strconv.ParseUint(addrs[i][1].Value(), 10, 16)
	if err != nil {
		return 0
	}
	return uint16(port)
}

// hostRecords returns the first address of each family as a record.
func hostRecords(addrs []ma.Multiaddr) []dnsmessage.ResourceBody {
	var four, six dnsmessage.ResourceBody
	for _, addr := range addrs {
		ip, err := manet.ToIP(addr)
		if err != nil {
			continue
		}
		if ip4 := ip.To4(); ip4 != nil && four == nil {
			four = &dnsmessage.AResource{A: [4]byte(ip4)}
		} else if ip4 == nil && six == nil {
			six = &dnsmessage.AAAAResource{AAAA: [16]byte(ip.To16())}
		}
	}
	return slices.DeleteFunc([]dnsmessage.ResourceBody{four, six},
		func(b dnsmessage.ResourceBody) bool { return b == nil })
}

// errNotOurs is for the many messages on the group that are other services'.
var errNotOurs = errors.New("about another service")

// readMDNS reads a message of at most maxMDNSPacket bytes. asks says that it is
// a query for our service; else infos are the peers that a response tells of,
// none when they take leave. What is about other services is errNotOurs.
func readMDNS(packet []byte) (asks bool, infos []peer.AddrInfo, err error) {
	var p dnsmessage.Parser
	header, err := p.Start(packet)
	if err != nil {
		return false, nil, err
	}
	if !header.Response {
		return readQuestions(&p)
	}
	if err := p.SkipAllQuestions(); err != nil {
		return false, nil, err
	}
	addrs, err := readTexts(&p)
	if err != nil {
		return false, nil, err
	}
	infos, err = peer.AddrInfosFromP2pAddrs(addrs...)
	return false, infos, err
}

// readQuestions looks for ours.
func readQuestions(p *dnsmessage.Parser) (asks bool, infos []peer.AddrInfo, err error) {
	for range maxMDNSParts {
		q, err := p.Question()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			break
		}
		if err != nil {
			return false, nil, err
		}
		wanted := q.Type == dnsmessage.TypePTR || q.Type == dnsmessage.TypeALL
		if wanted && strings.EqualFold(q.Name.String(), mdnsService) {
			return true, nil, nil
		}
	}
	return false, nil, errNotOurs
}

// readTexts collects the addresses in TXT records of our service, from answers
// and additional records alike.
func readTexts(p *dnsmessage.Parser) ([]ma.Multiaddr, error) {
	answers, err := readSection(p.AnswerHeader, p.SkipAnswer, p)
	if err != nil {
		return nil, err
	}
	if err := p.SkipAllAnswers(); err != nil {
		return nil, err
	}
	if err := p.SkipAllAuthorities(); err != nil {
		return nil, err
	}
	additional, err := readSection(p.AdditionalHeader, p.SkipAdditional, p)
	if err != nil {
		return nil, err
	}
	addrs := slices.Concat(answers, additional)
	if len(addrs) == 0 {
		return nil, errNotOurs
	}
	return addrs, nil
}

// readSection collects addresses in the records of one section.
func readSection(
	next func() (dnsmessage.ResourceHeader, error), skip func() error, p *dnsmessage.Parser,
) ([]ma.Multiaddr, error) {
	var addrs []ma.Multiaddr
	for range maxMDNSParts {
		header, err := next()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			break
		}
		if err != nil {
			return nil, err
		}
		ours := strings.HasSuffix(strings.ToLower(header.Name.String()), "."+mdnsService)
		if header.Type != dnsmessage.TypeTXT || !ours || header.TTL == 0 {
			if err := skip(); err != nil {
				return nil, err
			}
			continue
		}
		record, err := p.TXTResource()
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, textAddrs(record.TXT)...)
	}
	return addrs, nil
}

// textAddrs reads the addresses among the strings of a TXT record. Neighbours
// are reached directly and by address: anything else is passed over.
func textAddrs(text []string) []ma.Multiaddr {
	var addrs []ma.Multiaddr
	for _, s := range text[:min(len(text), maxMDNSParts)] {
		spelled, ok := strings.CutPrefix(s, mdnsAddr)
		if !ok {
			continue
		}
		addr, err := ma.NewMultiaddr(spelled)
		if err == nil && isDialable(addr) && !isRelayed(addr) && isIP(addr) {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

func isIP(addr ma.Multiaddr) bool {
	return slices.Contains([]int{ma.P_IP4, ma.P_IP6}, addr[0].Protocol().Code)
}
