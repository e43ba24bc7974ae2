/* libsrtp 2 behind four functions without structures, so that Rust need not know their layout. */
#include <srtp2/srtp.h>
#include <string.h>

/* A session for one direction, or NULL. The key is followed by its salt. */
srtp_t peers_new(int gcm, int inbound, unsigned char *key) {
    static int ready;
    srtp_policy_t policy;
    srtp_t session;
    if (!ready && srtp_init()) return NULL;
    ready = 1;
    memset(&policy, 0, sizeof policy);
    if (gcm) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else {
        srtp_crypto_policy_set_rtp_default(&policy.rtp);
        srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    }
    policy.ssrc.type = inbound ? ssrc_any_inbound : ssrc_any_outbound;
    policy.key = key;
    policy.window_size = 1024;
    return srtp_create(&session, &policy) ? NULL : session;
}

/* The new length, or -1. */
int peers_protect(srtp_t session, unsigned char *packet, int len) {
    return srtp_protect(session, packet, &len) ? -1 : len;
}

int peers_unprotect(srtp_t session, unsigned char *packet, int len) {
    return srtp_unprotect(session, packet, &len) ? -1 : len;
}

void peers_free(srtp_t session) { srtp_dealloc(session); }
