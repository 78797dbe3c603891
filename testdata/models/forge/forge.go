// Package forge is a code forge after the key table published for GitHub's data
// model in single-table design: accounts, repositories with issues, pull
// requests and stars in their partitions, comments, forks and memberships.
package forge

import (
	"time"

	"github.com/dynorm/dynorm"
)

// Account is a user or an organisation: they share one name space.
type Account struct {
	_ dynorm.Entity `dynorm:"Account"`
	_ dynorm.Key    `pk:"ACCOUNT#{Name}" sk:"ACCOUNT#{Name}"`
	_ dynorm.Index  `dynorm:"withRepos,gsi=3" pk:"ACCOUNT#{Name}" sk:"ACCOUNT#{Name}"`

	Name string
	Kind string `dynorm:",enum=user|organisation"`
	Plan string `dynorm:",enum=free|pro|enterprise"`
}

// Membership is a user in an organisation.
type Membership struct {
	_ dynorm.Key   `pk:"ACCOUNT#{Organisation}" sk:"MEMBERSHIP#{User}"`
	_ dynorm.Index `dynorm:"ofUser,gsi=1" pk:"ACCOUNT#{User}" sk:"MEMBERSHIP#{Organisation}"`

	Organisation, User string
	Role               string
}

// Repo is a repository, and of a fork the entry among its origin's forks.
type Repo struct {
	_ dynorm.Key   `pk:"REPO#{Owner}#{Name}" sk:"REPO#{Owner}#{Name}"`
	_ dynorm.Index `dynorm:"withPulls,gsi=1" pk:"REPO#{Owner}#{Name}" sk:"REPO#{Owner}#{Name}"`
	_ dynorm.Index `dynorm:"forks,gsi=2" pk:"REPO#{ForkOf}#{Name}" sk:"FORK#{Owner}"`
	_ dynorm.Index `dynorm:"ofAccount,gsi=3" pk:"ACCOUNT#{Owner}" sk:"#{Changed}"`

	Owner, Name string
	ForkOf      string
	Changed     time.Time
	Stars       int
}

// Issue is an issue in its repository's partition.
type Issue struct {
	_ dynorm.Key   `pk:"REPO#{Owner}#{Repo}" sk:"ISSUE#{Number}"`
	_ dynorm.Index `dynorm:"open,gsi=4" pk:"OPEN#{Owner}#{Repo}" sk:"ISSUE#{Number}" when:"Status=open"`

	Owner, Repo string
	Number      int    `dynorm:",pad=7"`
	Status      string `dynorm:",enum=open|closed"`
	Title       string
}

// Pull is a pull request.
type Pull struct {
	_ dynorm.Key   `pk:"PR#{Owner}#{Repo}#{Number:%07d}" sk:"PR#{Owner}#{Repo}#{Number:%07d}"`
	_ dynorm.Index `dynorm:"ofRepo,gsi=1" pk:"REPO#{Owner}#{Repo}" sk:"PR#{Number}"`

	Owner, Repo string
	Number      int `dynorm:",pad=7"`
	Author      string
}

// Comment is a comment on an issue.
type Comment struct {
	_ dynorm.Key `pk:"ISSUECOMMENT#{Owner}#{Repo}#{Issue:%07d}" sk:"ISSUECOMMENT#{ID}"`

	Owner, Repo string
	Issue       int
	ID          string
	Text        string
}

// Star is an account that starred a repository.
type Star struct {
	_ dynorm.Key   `pk:"REPO#{Owner}#{Repo}" sk:"STAR#{By}"`
	_ dynorm.Index `dynorm:"starred,gsi=2" pk:"ACCOUNT#{By}" sk:"STAR#{At|desc}"`

	Owner, Repo string
	By          string
	At          time.Time
}

// Models are the models, as NewSchema takes them.
func Models() []any {
	return []any{Account{}, Membership{}, Repo{}, Issue{}, Pull{}, Comment{}, Star{}}
}
