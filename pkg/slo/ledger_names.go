// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import "strings"

// names are the few different names in the keys of one objective. Keys refer to
// them: the name of a resource is there once for all verbs.
type names []string

// namedKey is a Key by the indices of its group, resource, subresource and verb.
// 16 bits are enough: all keys together have at most 4 * maximumKeys names.
type namedKey [4]uint16

func (n names) key(k namedKey) Key {
	return Key{n[k[0]], n[k[1]], n[k[2]], n[k[3]]}
}

// interner adds the names of keys that are not there yet. It is of use until
// something else changes the names.
func (n *names) interner() func(Key) namedKey {
	index := make(map[string]uint16, len(*n))
	for i, name := range *n {
		index[name] = uint16(i)
	}
	intern := func(name string) uint16 {
		i, known := index[name]
		if !known {
			i = uint16(len(*n))
			name = strings.Clone(name) // it may be a piece of something large
			*n = append(*n, name)
			index[name] = i
		}
		return i
	}
	return func(k Key) namedKey {
		return namedKey{intern(k.Group), intern(k.Resource), intern(k.Subresource), intern(k.Verb)}
	}
}

// compact returns the names that the rows use, and lets the rows refer to those.
func compact(all names, rows []row) names {
	var used names
	intern := used.interner()
	for i := range rows {
		rows[i].key = intern(all.key(rows[i].key))
	}
	return used
}
