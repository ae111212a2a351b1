package main

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestThePodsNameChoosesAmongDocuments(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"cart", "cart-cache"} {
		os.WriteFile(filepath.Join(folder, name+".json"), nil, 0o600)
	}
	for host, wanted := range map[string]string{"cart-5f7-x2": "cart", "cart-cache-5f7-x2": "cart-cache", "cart": "cart"} {
		if found, err := documentFor(folder, host); err != nil || filepath.Base(found) != wanted+".json" {
			t.Errorf("%s: %s %v", host, found, err)
		}
	}
	if _, err := documentFor(folder, "other"); err == nil {
		t.Error("a stranger found a document")
	}
	os.Remove(filepath.Join(folder, "cart.json"))
	if found, _ := documentFor(folder, "other"); filepath.Base(found) != "cart-cache.json" {
		t.Errorf("the only document is %q", found)
	}
}

func TestRoutesOfTheLoadAreDrawnByTheirWeights(t *testing.T) {
	choose := chooser(map[string]float64{"often": 3, "seldom": 1})
	count := map[string]int{}
	for range 20_000 {
		count[choose()]++
	}
	if share := float64(count["often"]) / 20_000; math.Abs(share-0.75) > 0.02 {
		t.Errorf("share %v", share)
	}
}

func TestLoadIsHighestAtItsPeak(t *testing.T) {
	load := &Load{Amplitude: 0.5, Peak: 20}
	for hour, wanted := range map[int]float64{20: 1.5, 8: 0.5, 2: 1} {
		if found := wave(load, time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC)); math.Abs(found-wanted) > 1e-9 {
			t.Errorf("at %d: %v", hour, found)
		}
	}
}

func TestCurlDoesWhatTheScriptsOfFaultsAsk(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		io.WriteString(writer, request.Header.Get("Authorization"))
	}))
	defer server.Close()
	out := filepath.Join(t.TempDir(), "out")
	code := curl([]string{"-s", "-H", "Authorization: Bearer x", server.URL, "-o", out})
	if text, _ := os.ReadFile(out); code != 0 || string(text) != "Bearer x" {
		t.Errorf("%d %q", code, text)
	}
	for _, wrong := range [][]string{{"-k", server.URL}, {server.URL, "-o"}} {
		if code := curl(wrong); code != 2 {
			t.Errorf("%v: %d", wrong, code)
		}
	}
}
