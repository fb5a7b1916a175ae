// Command backend-go issues ALTCHA v1 challenges and accepts each solution once. Go's standard library only.
//
//	ALTCHA_SECRET=… PORT=8080 go run .
package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"sync"
	"time"
)

const (
	maxNumber       = 50_000
	lifetimeSeconds = 600
	maxPayloadBytes = 4096
)

var (
	secret = []byte(os.Getenv("ALTCHA_SECRET"))
	// Exactly one expiry, at the end: what createChallenge writes.
	saltPattern = regexp.MustCompile(`^[0-9a-f]+\?expires=([0-9]{1,12})&$`)
	// Only canonical decimals: otherwise characters could move between the salt and the number (CVE-2025-68113).
	numberPattern = regexp.MustCompile(`^(0|[1-9][0-9]{0,15})$`)
)

// The digests of solutions that were accepted, with their expiry. Several processes need a shared store: a table whose
// primary key is the digest, and one INSERT for each solution.
var accepted = struct {
	sync.Mutex
	expires map[string]int64
}{expires: map[string]int64{}}

type challenge struct {
	Algorithm string `json:"algorithm"`
	Challenge string `json:"challenge"`
	MaxNumber int    `json:"maxnumber"`
	Salt      string `json:"salt"`
	Signature string `json:"signature"`
}

type solution struct {
	Algorithm string          `json:"algorithm"`
	Challenge string          `json:"challenge"`
	Number    json.RawMessage `json:"number"`
	Salt      string          `json:"salt"`
	Signature string          `json:"signature"`
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func sign(text string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func createChallenge() (challenge, error) {
	random := make([]byte, 12)
	if _, err := rand.Read(random); err != nil {
		return challenge{}, err
	}
	number, err := rand.Int(rand.Reader, big.NewInt(maxNumber))
	if err != nil {
		return challenge{}, err
	}
	salt := fmt.Sprintf("%x?expires=%d&", random, time.Now().Unix()+lifetimeSeconds)
	sum := digest(salt + strconv.FormatInt(number.Int64()+1, 10))
	return challenge{"SHA-256", sum, maxNumber, salt, sign(sum)}, nil
}

// refuse returns what is wrong with a payload, or "". A payload that was accepted once is refused afterwards.
func refuse(payload []byte) string {
	text, err := base64.StdEncoding.DecodeString(string(payload))
	if err != nil {
		return "not base64"
	}
	var s solution
	if json.Unmarshal(text, &s) != nil {
		return "not JSON"
	}
	if s.Algorithm != "SHA-256" {
		return "another algorithm"
	}
	if !numberPattern.Match(s.Number) {
		return "number is not an integer"
	}
	match := saltPattern.FindStringSubmatch(s.Salt)
	if match == nil {
		return "another salt"
	}
	sum := digest(s.Salt + string(s.Number))
	if !hmac.Equal([]byte(sum), []byte(s.Challenge)) || !hmac.Equal([]byte(sign(sum)), []byte(s.Signature)) {
		return "wrong solution"
	}
	expires, err := strconv.ParseInt(match[1], 10, 64)
	now := time.Now().Unix()
	if err != nil || expires < now {
		return "expired"
	}
	accepted.Lock()
	defer accepted.Unlock()
	for old, end := range accepted.expires {
		if end < now {
			delete(accepted.expires, old)
		}
	}
	// The digest identifies the challenge, however the payload is written.
	if _, used := accepted.expires[sum]; used {
		return "used before"
	}
	accepted.expires[sum] = expires
	return ""
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func main() {
	if len(secret) < 32 {
		log.Fatal("Set ALTCHA_SECRET to at least 32 random characters.")
	}
	http.HandleFunc("/challenge", func(w http.ResponseWriter, r *http.Request) {
		c, err := createChallenge()
		if err != nil {
			reply(w, http.StatusInternalServerError, map[string]string{"error": "no random numbers"})
			return
		}
		reply(w, http.StatusOK, c)
	})
	http.HandleFunc("/verify", func(w http.ResponseWriter, r *http.Request) {
		payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayloadBytes))
		if err != nil {
			reply(w, http.StatusBadRequest, map[string]string{"error": "too long"})
			return
		}
		if problem := refuse(payload); problem != "" {
			reply(w, http.StatusBadRequest, map[string]string{"error": problem})
			return
		}
		reply(w, http.StatusOK, map[string]bool{"verified": true})
	})
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
