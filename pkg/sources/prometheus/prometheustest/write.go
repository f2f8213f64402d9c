// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheustest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Stale is the value that ends a series: a scrape writes it for each series that
// the scrape before had and this one has not, and for all of them when it fails
// (prometheus model/value, StaleNaN).
func Stale() float64 { return math.Float64frombits(0x7ff0000000000002) }

// batch is the time that is written at once: no sample may be an hour older than
// the newest of all (prometheus tsdb/head_append.go).
const batch = 20 * time.Minute

// write sends samples in order of time.
func write(url string, samples []Sample) error {
	samples = slices.Clone(samples)
	slices.SortStableFunc(samples, func(a, b Sample) int { return a.At.Compare(b.At) })
	for len(samples) > 0 {
		end := samples[0].At.Add(batch)
		n := sort.Search(len(samples), func(i int) bool { return samples[i].At.After(end) })
		if err := writeBatch(url, samples[:n]); err != nil {
			return err
		}
		samples = samples[n:]
	}
	return nil
}

// writeBatch uses the remote write protocol, version 1
// (https://prometheus.io/docs/specs/prw/remote_write_spec/): unlike the formats
// that promtool reads, it can say that a series is stale.
func writeBatch(url string, samples []Sample) error {
	bySeries := map[string][]Sample{}
	for _, s := range samples {
		bySeries[s.Series] = append(bySeries[s.Series], s)
	}
	var request []byte
	for _, series := range slices.Sorted(maps.Keys(bySeries)) {
		one, err := timeSeries(series, bySeries[series])
		if err != nil {
			return err
		}
		request = protowire.AppendTag(request, 1, protowire.BytesType)
		request = protowire.AppendBytes(request, one)
	}
	response, err := http.Post(url+"/api/v1/write", "application/x-protobuf", bytes.NewReader(snappy(request)))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		text, _ := io.ReadAll(response.Body)
		return fmt.Errorf("write: %s: %s", response.Status, text)
	}
	return nil
}

// timeSeries is the message of that name: labels sorted by name.
func timeSeries(series string, samples []Sample) ([]byte, error) {
	labels, err := parse(series)
	if err != nil {
		return nil, fmt.Errorf("series %s: %w", series, err)
	}
	var message []byte
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		var label []byte
		label = protowire.AppendTag(label, 1, protowire.BytesType)
		label = protowire.AppendString(label, name)
		label = protowire.AppendTag(label, 2, protowire.BytesType)
		label = protowire.AppendString(label, labels[name])
		message = protowire.AppendTag(message, 1, protowire.BytesType)
		message = protowire.AppendBytes(message, label)
	}
	for _, s := range samples {
		if s.Native != nil {
			message = protowire.AppendTag(message, 4, protowire.BytesType)
			message = protowire.AppendBytes(message, s.Native.message(s.At))
			continue
		}
		var sample []byte
		sample = protowire.AppendTag(sample, 1, protowire.Fixed64Type)
		sample = protowire.AppendFixed64(sample, math.Float64bits(s.Value))
		sample = protowire.AppendTag(sample, 2, protowire.VarintType)
		sample = protowire.AppendVarint(sample, uint64(s.At.UnixMilli()))
		message = protowire.AppendTag(message, 2, protowire.BytesType)
		message = protowire.AppendBytes(message, sample)
	}
	return message, nil
}

// parse reads a metric name, and labels in braces if there are any. A label with
// the value "" is an absent one.
func parse(series string) (map[string]string, error) {
	name, rest, braces := strings.Cut(series, "{")
	labels := map[string]string{"__name__": name}
	for braces {
		rest = strings.TrimLeft(rest, ", ")
		if rest == "}" {
			break
		}
		label, quoted, found := strings.Cut(rest, "=")
		value, err := strconv.QuotedPrefix(quoted)
		if err != nil || !found {
			return nil, fmt.Errorf("no label at %q", rest)
		}
		rest = quoted[len(value):]
		if value, err = strconv.Unquote(value); err != nil {
			return nil, err
		}
		if value != "" {
			labels[label] = value
		}
	}
	return labels, nil
}

// snappy frames data as the block format of Snappy, in literals alone: it does not
// have to be small (https://github.com/google/snappy, format_description.txt).
func snappy(data []byte) []byte {
	block := binary.AppendUvarint(nil, uint64(len(data)))
	for chunk := range slices.Chunk(data, 1<<16) {
		block = append(block, 61<<2) // a literal whose length less one is in two bytes
		block = binary.LittleEndian.AppendUint16(block, uint16(len(chunk)-1))
		block = append(block, chunk...)
	}
	return block
}
