package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// curl is as much of curl as scripts of faults use: -s, --cacert FILE, -H HEADER, -o FILE, URL.
func curl(arguments []string) int {
	header := http.Header{}
	out := io.Writer(os.Stdout)
	pool := x509.NewCertPool()
	var target string
	for at := 0; at < len(arguments); at++ {
		word := arguments[at]
		takes := word == "--cacert" || word == "-H" || word == "-o"
		if takes {
			at++
		}
		switch {
		case takes && at == len(arguments):
			return curlFailed(2, "option "+word+": requires parameter")
		case word == "--cacert":
			authority, err := os.ReadFile(arguments[at])
			if err != nil {
				return curlFailed(77, err.Error())
			}
			pool.AppendCertsFromPEM(authority)
		case word == "-H":
			name, value, _ := strings.Cut(arguments[at], ":")
			header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
		case word == "-o":
			file, err := os.OpenFile(arguments[at], os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
			if err != nil {
				return curlFailed(23, err.Error())
			}
			defer file.Close()
			out = file
		case !strings.HasPrefix(word, "-"):
			target = word
		case word != "-s":
			return curlFailed(2, "option "+word+": is unknown")
		}
	}
	if !strings.Contains(target, "://") {
		target = "http://" + target
	}
	request, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		return curlFailed(3, err.Error())
	}
	request.Header = header
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	response, err := client.Do(request)
	if err != nil {
		return curlFailed(7, err.Error())
	}
	defer response.Body.Close()
	if _, err := io.Copy(out, response.Body); err != nil {
		return curlFailed(56, err.Error())
	}
	return 0
}

func curlFailed(code int, why string) int {
	fmt.Fprintf(os.Stderr, "curl: (%d) %s\n", code, why)
	return code
}
