// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

// Origin is where a Reading is from.
type Origin struct {
	Kind OriginKind
	// Address of the API that was asked, without credentials; "" for the embedded
	// source, whose instances have URLs instead.
	Address string
}

// OriginKind is a kind of source.
type OriginKind string

const (
	// Scraped says that the instances themselves were asked.
	Scraped OriginKind = "Scrape"
	// Queried says that the API of a Prometheus was asked.
	Queried OriginKind = "Prometheus"
)

// Query is a query as it was sent, for the end of the window.
type Query struct {
	Role   Role
	PromQL string
}

// Role says what the answer to a query was used for.
type Role string

// Roles, in the order of Result.Queries.
const (
	// RoleIncrease says that of a counter. It is the figure.
	RoleIncrease Role = "Increase"
	// RoleBuckets and RoleSum: increases of a histogram.
	RoleBuckets Role = "Buckets"
	RoleSum     Role = "Sum"
	// RoleBorn finds the label sets that were born within the window.
	RoleBorn Role = "Born"
	// RoleBornBuckets and RoleBornSum: what the increases lack of these. They are
	// added to RoleBuckets and RoleSum. Of native histograms RoleBornBuckets is all of
	// these, in place of what RoleBuckets has.
	RoleBornBuckets Role = "BornBuckets"
	RoleBornSum     Role = "BornSum"
	// RoleNewest, RoleHighest and RoleSamples: of a gauge.
	RoleNewest  Role = "Newest"
	RoleHighest Role = "Highest"
	RoleSamples Role = "Samples"
)

// Roles in the order of Result.Queries.
func Roles() []Role {
	return []Role{RoleIncrease, RoleBuckets, RoleSum, RoleBorn, RoleBornBuckets, RoleBornSum, RoleNewest, RoleHighest, RoleSamples}
}
