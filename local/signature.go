package local

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/dynorm/dynorm/internal/engine"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	service    = "dynamodb"
	dateFormat = "20060102T150405Z"
	// maxSkew is how far the date of a signature may be from the present.
	maxSkew = 5 * time.Minute
)

// guard checks signatures: AWS Signature Version 4 in the Authorization header.
type guard struct {
	credentials aws.Credentials
	region      string
	now         func() time.Time
}

func notSigned(format string) *engine.Fault {
	return engine.Refused("InvalidSignatureException", format)
}

// check returns why the service would not let the request in, or nil.
func (g *guard) check(r *http.Request, body []byte) *engine.Fault {
	authorization := r.Header.Get("Authorization")
	if authorization == "" {
		return engine.Refused("MissingAuthenticationTokenException", "Request is missing Authentication Token")
	}
	s, fault := readSignature(authorization, r.Header)
	if fault != nil {
		return fault
	}
	if s.key != g.credentials.AccessKeyID || subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Amz-Security-Token")), []byte(g.credentials.SessionToken)) != 1 {
		return engine.Refused("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	if fault := s.checkScope(g.region); fault != nil {
		return fault
	}
	if fault := s.checkDate(g.now().UTC()); fault != nil {
		return fault
	}
	if want := s.sign(g.credentials.SecretAccessKey, r, body); !hmac.Equal([]byte(want), []byte(s.signature)) {
		return notSigned("The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

// signature is what an Authorization header says.
type signature struct {
	key       string   // the access key's ID
	scope     []string // day, region, service, "aws4_request"
	headers   []string // those that are signed
	signature string
	date      string
}

// readSignature reads the Authorization header, or reports all it lacks.
func readSignature(authorization string, header http.Header) (signature, *engine.Fault) {
	var s signature
	parts := map[string]string{}
	rest, ok := strings.CutPrefix(authorization, algorithm)
	if !ok {
		return s, engine.Refused("IncompleteSignatureException", "Unsupported AWS 'algorithm': '"+strings.SplitN(authorization, " ", 2)[0]+"'.")
	}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	var missing strings.Builder
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[name] == "" {
			missing.WriteString("Authorization header requires '" + name + "' parameter. ")
		}
	}
	if s.date = header.Get("X-Amz-Date"); s.date == "" {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if missing.Len() > 0 {
		return s, engine.Refused("IncompleteSignatureException", missing.String()+"Authorization="+authorization)
	}
	credential := strings.Split(parts["Credential"], "/")
	if len(credential) < 5 {
		return s, engine.Refused("IncompleteSignatureException", "Credential must have at least 5 slash-delimited elements, not '"+parts["Credential"]+"'.")
	}
	split := len(credential) - 4
	s.key, s.scope = strings.Join(credential[:split], "/"), credential[split:]
	s.headers = strings.Split(parts["SignedHeaders"], ";")
	s.signature = parts["Signature"]
	return s, nil
}

// checkScope judges the day, region and service that the signature is for.
func (s *signature) checkScope(region string) *engine.Fault {
	var wrong strings.Builder
	if !strings.HasPrefix(s.date, s.scope[0]) {
		wrong.WriteString("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
			s.scope[0] + "' != '" + s.date[:min(8, len(s.date))] + "', from '" + s.date + "'. ")
	}
	if s.scope[1] != region {
		wrong.WriteString("Credential should be scoped to a valid region, not '" + s.scope[1] + "'. ")
	}
	if s.scope[2] != service {
		wrong.WriteString("Credential should be scoped to correct service: '" + service + "'. ")
	}
	if s.scope[3] != "aws4_request" {
		wrong.WriteString("Credential should be scoped with a valid terminator: 'aws4_request', not '" + s.scope[3] + "'. ")
	}
	if wrong.Len() > 0 {
		return notSigned(wrong.String())
	}
	return nil
}

// checkDate refuses signatures of the past and of the future.
func (s *signature) checkDate(now time.Time) *engine.Fault {
	at, err := time.Parse(dateFormat, s.date)
	shown := func(t time.Time) string { return t.Format(dateFormat) }
	switch {
	case err != nil:
		return engine.Refused("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'. Got '"+s.date+"'. See http://en.wikipedia.org/wiki/ISO_8601")
	case at.Before(now.Add(-maxSkew)):
		return notSigned("Signature expired: " + s.date + " is now earlier than " + shown(now.Add(-maxSkew)) + " (" + shown(now) + " - 5 min.)")
	case at.After(now.Add(maxSkew)):
		return notSigned("Signature not yet current: " + s.date + " is still later than " + shown(now.Add(maxSkew)) + " (" + shown(now) + " + 5 min.)")
	}
	return nil
}

// sign returns the signature that the request should have.
func (s *signature) sign(secret string, r *http.Request, body []byte) string {
	digest := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	key := []byte("AWS4" + secret)
	for _, part := range s.scope {
		key = mac(key, part)
	}
	toSign := strings.Join([]string{algorithm, s.date, strings.Join(s.scope, "/"), digest(s.canonical(r, digest(string(body))))}, "\n")
	return hex.EncodeToString(mac(key, toSign))
}

// canonical returns the request in the form that is signed.
func (s *signature) canonical(r *http.Request, payload string) string {
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	var headers strings.Builder
	for _, name := range s.headers {
		values := r.Header.Values(name)
		switch name {
		case "host":
			if values = []string{r.Host}; r.Host == "" {
				values[0] = r.URL.Host
			}
		case "content-length":
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		}
		trimmed := make([]string, len(values))
		for i, v := range values {
			trimmed[i] = strings.Join(strings.Fields(v), " ")
		}
		headers.WriteString(name + ":" + strings.Join(trimmed, ",") + "\n")
	}
	return strings.Join([]string{
		r.Method, strings.ReplaceAll(url.PathEscape(path), "%2F", "/"), canonicalQuery(r.URL),
		headers.String(), strings.Join(s.headers, ";"), payload,
	}, "\n")
}

func canonicalQuery(u *url.URL) string {
	var pairs []string
	for name, values := range u.Query() {
		for _, v := range values {
			pairs = append(pairs, escape(name)+"="+escape(v))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
