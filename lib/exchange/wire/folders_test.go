package wire

import (
	"encoding/binary"
	"strings"

	"plasm/lib/job"
	"plasm/lib/tree"
)

// sampleTree is what the folder /in of the sample with folders begins as.
func sampleTree() *tree.Tree {
	return &tree.Tree{Entries: []tree.Entry{
		{Path: "a", Type: tree.File, Size: 3, Digest: job.Sum([]byte("one"))},
		{Path: "b", Type: tree.File, Size: 3, Digest: job.Sum([]byte("two"))},
		{Path: "c", Type: tree.Link, Target: "a"},
	}}
}

// sampleContents are the contents of its files, ascending by digest.
func sampleContents() []string {
	if job.Sum([]byte("one")) < job.Sum([]byte("two")) {
		return []string{"one", "two"}
	}
	return []string{"two", "one"}
}

// folderOffer has folders: /in, which begins as sampleTree, and /out, to be written.
func folderOffer() *Offer {
	document := sampleTree().Encode()
	o := sampleOffer(0, func(m *job.Manifest) {
		m.Dirs = []job.Dir{
			{Guest: "/in", ReadOnly: true, Tree: job.Sum(document)},
			{Guest: "/out", Tree: job.EmptyTree},
		}
		m.DiskMB = 1
	})
	o.Trees = []TreeSize{{DocumentBytes: int64(len(document)), Entries: 3, Blobs: 2, Bytes: 6}}
	return o
}

func needFolders() *Accept {
	return &Accept{Want: true, Trees: []job.Digest{sampleTree().Digest()}}
}

// leftOf is the stream of a folder with one file, whose content follows.
func leftOf(content string) string {
	t := &tree.Tree{Entries: []tree.Entry{{
		Path: "out", Type: tree.File, Size: int64(len(content)),
		Digest: job.Sum([]byte(content)),
	}}}
	document := t.Encode()
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(document)))) + string(document) + "\x01" + content
}

func folderCases() []*exchange {
	document := string(sampleTree().Encode())
	contents := strings.Join(sampleContents(), "")
	left := leftOf("three")
	resumed := folderOffer()
	resumed.FoldersFrom = int64(len(left)) - 2
	input := folderOffer()
	m := must(job.DecodeManifest(input.Manifest))
	m.StdinHash = ""
	input.Manifest, input.StdinBytes = m.Encode(), StdinUnknown
	input.Sign(requesterKey(), nodeKey().PeerID(), transportKey().PeerID())
	whole := needFolders()
	whole.Module, whole.Stdin = true, true
	return []*exchange{
		valid("folders, all of them").say(folderOffer(), needFolders()).data(KindTree, document[:9], document[9:]).
			say(&Want{Blobs: []byte{3}, Bytes: 6}).data(KindBlob, contents).say(&Started{}).
			data(KindFolders, left[:10], left[10:]).say(anyResult()),
		valid("folders, module and input").say(input, whole).data(KindTree, document).data(KindModule, sampleModule).
			say(&Want{Blobs: []byte{3}, Bytes: 6}).data(KindBlob, contents[:1], contents[1:]).data(KindStdin, "x").
			say(StdinEnd{}, &Started{}, anyResult()),
		valid("folders of which one content lacks").say(folderOffer(), &Accept{Want: true},
			&Want{Blobs: []byte{2}, Bytes: 3}).
			data(KindBlob, sampleContents()[1]).say(&Started{}, anyResult()),
		valid("folders that are there but for half a content").
			say(folderOffer(), &Accept{Attached: true, Want: true}, &Want{Blobs: []byte{2}, From: 1, Bytes: 2}).
			data(KindBlob, sampleContents()[1][1:]).say(&Started{}, anyResult()),
		valid("folders that are there after all").say(folderOffer(), &Accept{Want: true}, &Want{}, &Started{},
			anyResult()),
		valid("folders that are there").say(folderOffer(), needNone(), &Started{}).data(KindFolders,
			left).say(anyResult()),
		valid("folders from a byte on").say(resumed, attached(), &Started{RunningMS: 1}).data(KindFolders,
			left[len(left)-2:]).say(anyResult()),
	}
}

func folderFaults() []*exchange {
	document := string(sampleTree().Encode())
	want := &Want{Blobs: []byte{3}, Bytes: 6}
	more := folderOffer()
	more.Trees[0].Blobs, more.Trees[0].Bytes = 3, 600
	asked := func(d job.Digest) *Accept { return &Accept{Want: true, Trees: []job.Digest{d}} }
	twice := needFolders()
	twice.Trees = append(twice.Trees, twice.Trees[0])
	offer := string(must(Encode(folderOffer())))
	change := func(name, old, changed string) *exchange {
		if strings.Count(offer, old) != 1 {
			panic(name)
		}
		return fault(RulePayload, name).text(KindOffer, strings.Replace(offer, old, changed, 1))
	}
	return []*exchange{
		fault(RuleTurn, "tree before accept").say(folderOffer()).data(KindTree, "x"),
		fault(RuleTurn, "a tree that the node has").say(folderOffer(), needNone()).data(KindTree, "x"),
		fault(RuleTurn, "tree after cancel").say(folderOffer(), needFolders(), Cancel{}).data(KindTree, "x"),
		fault(RuleTurn, "module before the end of the trees").say(folderOffer(),
			&Accept{Module: true, Want: true, Trees: needFolders().Trees}).
			data(KindModule, "x"),
		fault(RuleTurn, "blob before want").say(folderOffer(), needFolders()).data(KindTree, document).data(KindBlob,
			"x"),
		fault(RuleTurn, "want without a word of it").say(folderOffer(), needNone(), want),
		fault(RuleTurn, "want twice").say(folderOffer(), &Accept{Want: true}, want, want),
		fault(RuleTurn, "want after started").say(folderOffer(), &Accept{Want: true}, &Started{}, want),
		fault(RuleTurn, "folders before started").say(folderOffer(), needNone()).data(KindFolders, "x"),
		fault(RuleTurn, "folders after cause").say(folderOffer(), needNone(), &Started{}, anyCause()).data(KindFolders,
			"x"),
		fault(RuleSize, "more of a tree than offered").say(folderOffer(), needFolders()).data(KindTree, document+"x"),
		fault(RuleSize, "more contents than wanted").say(folderOffer(), &Accept{Want: true}, want).data(KindBlob,
			"sixsix", "x"),
		fault(RuleSize, "want of more bytes than offered").say(folderOffer(), &Accept{Want: true},
			&Want{Blobs: []byte{3}, Bytes: 7}),
		fault(RuleSize, "want of more contents than offered").say(folderOffer(), &Accept{Want: true},
			&Want{Blobs: []byte{3, 0}, Bytes: 6}),
		fault(RuleSize, "folders of a job without").say(plainOffer(), needNone(), &Started{}).data(KindFolders, "x"),
		fault(RulePayload, "accept asks for another tree").say(folderOffer(), asked(job.EmptyTree)),
		fault(RulePayload, "accept asks for a tree twice").say(folderOffer(), twice),
		fault(RulePayload, "accept asks for what is no digest").say(folderOffer()).
			text(KindAccept, `{"module":true,"stdin":false,"stdin_from":0,"attached":false,"trees":["sha256:1"]}`),
		fault(RulePayload, "want without bytes").say(folderOffer(), &Accept{Want: true}).text(KindWant,
			`{"blobs":"Aw==","from":0}`),
		fault(RulePayload, "want: blobs is no base64").say(folderOffer(), &Accept{Want: true}).text(KindWant,
			`{"blobs":"Aw=","from":0,"bytes":6}`),
		change("offer: more contents than entries", `"blobs":2`, `"blobs":4`),
		change("offer: a tree of 64 MiB and a byte", `"document_bytes":`, `"document_bytes":67108865,"x":`),
		fault(RulePayload,
			"accept of an offer without the sizes of its trees").say(func() *Offer {
			o := folderOffer()
			o.Trees = nil
			return o
		}(), needNone()),
	}
}
